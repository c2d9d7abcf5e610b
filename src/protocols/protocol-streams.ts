import type { ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { fromEvent, lastValueFrom, Observable, takeUntil, tap, type MonoTypeOperatorFunction } from 'rxjs';
import { getAuthentication, untilExpiry } from '../auth/authentication.js';
import { formatCursor, startCursor } from '../events/cursor.js';
import { weighEvent } from '../events/event-weight.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { Frame } from '../http/frame.js';
import { SseStreams } from '../http/sse-streams.js';
import { rawResponse, type WebRequest, type WebResponse } from '../http/http.types.js';
import { RunFeed } from '../runs/run.feed.js';
import type { Run } from '../runs/run.js';
import type { RunReader } from '../streams/run-reader.js';
import { FoldBudget } from './fold.budget.js';
import type { ProtocolMapper } from './protocol.mapper.js';

/** A request, and the response that a stream goes to. */
export interface HttpExchange {
  readonly request: WebRequest;
  readonly response: WebResponse;
}

/** Options of a run's stream. */
export interface ProtocolStream<Chunk> {
  /** Made for this reader: it folds as it goes. */
  readonly mapper: ProtocolMapper<Chunk>;
  /** @param id the reader's cursor once it has this frame */
  readonly frame: (chunk: Chunk, id: string) => Frame;
  /** Frame after the run's last chunk, such as `[DONE]`. */
  readonly closing?: (id: string) => Frame;
  /**
   * End that the reader sees if the server ends its stream before the run has ended: a broken connection (`cut`, default), because
   * most clients take a clean end for success, or a `clean` end for clients that reconnect after either.
   */
  readonly earlyEnd?: 'cut' | 'clean';
}

/** Serves runs to the readers of any protocol. */
@Injectable()
export class ProtocolStreams {
  constructor(
    private readonly feed: RunFeed,
    private readonly streams: SseStreams,
    private readonly folds: FoldBudget,
  ) {}

  /**
   * The run through the mapper, as frames, after the reader's cursor. Completes after the run's `end`; ends early with the
   * reader's credentials, with the server, and with a log that cannot be read.
   *
   * The log is folded from its first event whatever the cursor: what the reader has already is mapped, and not sent.
   */
  follow<Chunk>(
    { request, response }: HttpExchange,
    reader: Pick<RunReader, 'run' | 'cursor'>,
    stream: ProtocolStream<Chunk>,
  ): Observable<Frame> {
    const raw = rawResponse(response);
    return this.frames(raw, reader, stream).pipe(
      stream.earlyEnd === 'clean' ? (source) => source : cutWhenUnfinished(raw),
      untilExpiry(getAuthentication(request)),
    );
  }

  /** Hands a run's events to `take`, for a reply that comes at its end. Resolves then, or when the client has left. */
  async watch(run: Run, client: WebResponse, take: (recorded: RecordedEvent) => void): Promise<void> {
    const events = this.feed.follow({ runId: run.id, afterSeq: 0 });
    const left = fromEvent(rawResponse(client), 'close');
    await lastValueFrom(events.pipe(takeUntil(left), tap(take)), { defaultValue: undefined });
  }

  private frames<Chunk>(
    response: ServerResponse,
    { run, cursor }: Pick<RunReader, 'run' | 'cursor'>,
    { mapper, frame, closing }: ProtocolStream<Chunk>,
  ): Observable<Frame> {
    return new Observable((subscriber) => {
      const fold = this.folds.open(run.principal);
      // Not before: until then, what was read last is on its way.
      response.once('close', () => fold.close());
      const ready = () => fold.ready() ?? this.streams.ready(response);
      let id = formatCursor(startCursor(run.id));
      return this.feed.follow({ runId: run.id, record: run, afterSeq: 0, ready }).subscribe({
        next: (recorded) => {
          const before = id;
          id = formatCursor(recorded);
          fold.add(weighEvent(recorded.event));
          const chunks = mapper(recorded);
          if (recorded.seq <= cursor.seq) return;
          // Only the last frame of an event says that the reader has the event: cut before it, all of them come again.
          for (const [index, chunk] of chunks.entries())
            subscriber.next(frame(chunk, index === chunks.length - 1 ? id : before));
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          if (closing) subscriber.next(closing(id));
          subscriber.complete();
        },
      });
    });
  }
}

/** Breaks the connection when the frames stop before their end, unless an error can still be answered with a status. */
function cutWhenUnfinished<T>(response: ServerResponse): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable((subscriber) => {
      let finished = false;
      subscriber.add(() => {
        if (!finished && response.headersSent) response.destroy();
      });
      subscriber.add(
        source.subscribe({
          next: (frame) => subscriber.next(frame),
          error: (error: unknown) => subscriber.error(error),
          complete: () => {
            finished = true;
            subscriber.complete();
          },
        }),
      );
    });
}
