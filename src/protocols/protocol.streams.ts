import type { ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Observable, type MonoTypeOperatorFunction } from 'rxjs';
import { authOf, untilExpiry } from '../auth/authentication.js';
import type { RunReader } from '../chat/run-reader.js';
import { formatCursor, startOf } from '../events/cursor.js';
import type { Frame } from '../http/frame.js';
import { SseStreams } from '../http/sse.streams.js';
import type { WebRequest } from '../http/web.exchange.js';
import { RunFeed } from '../runs/run.feed.js';
import type { ProtocolMapper } from './protocol.mapper.js';

/** How a run goes over the wire. */
export interface ProtocolStream<Chunk> {
  /** Made for this reader: it folds as it goes. */
  readonly mapper: ProtocolMapper<Chunk>;
  /** @param id the reader's cursor once it has this frame */
  readonly frame: (chunk: Chunk, id: string) => Frame;
  /** What stands after the run's last chunk, such as `[DONE]`. */
  readonly closing?: (id: string) => Frame;
  /**
   * What the reader is to see when the server ends its stream before the run has ended: a broken connection (`cut`, default),
   * because most clients take a clean end for success; or a `clean` one, for those that come back after either.
   */
  readonly earlyEnd?: 'cut' | 'clean';
}

/** Serves runs to the readers of any protocol. */
@Injectable()
export class ProtocolStreams {
  constructor(
    private readonly feed: RunFeed,
    private readonly streams: SseStreams,
  ) {}

  /**
   * The run through the mapper, as frames, after the reader's cursor. Completes after the run's `end`; ends early with the
   * reader's credentials, with the server, and with a log that cannot be read.
   *
   * The log is folded from its first event whatever the cursor: what the reader has already is mapped, and not sent.
   */
  follow<Chunk>(request: WebRequest, reader: RunReader, stream: ProtocolStream<Chunk>): Observable<Frame> {
    const { response } = reader;
    return this.frames(reader, stream).pipe(
      stream.earlyEnd === 'clean' ? (source) => source : cutWhenUnfinished(response),
      untilExpiry(authOf(request)),
    );
  }

  private frames<Chunk>(
    { run, cursor, response }: RunReader,
    { mapper, frame, closing }: ProtocolStream<Chunk>,
  ): Observable<Frame> {
    const ready = () => this.streams.ready(response);
    return new Observable((subscriber) => {
      let id = formatCursor(startOf(run.id));
      return this.feed.follow({ runId: run.id, record: run, afterSeq: 0, ready }).subscribe({
        next: (recorded) => {
          const before = id;
          id = formatCursor(recorded);
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
