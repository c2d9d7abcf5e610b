import { Injectable } from '@nestjs/common';
import { concat, Observable, of } from 'rxjs';
import { AppError } from '../../errors.js';
import { Frame } from '../../http/frame.js';
import type { Principal } from '../../principal.js';
import { Hints } from '../../runs/hints.js';
import type { Run } from '../../runs/run.js';
import { RunFeed } from '../../runs/run.feed.js';
import { Wakeups } from '../../runs/wakeups.js';
import { currentRun, ThreadTranscripts } from '../transcript/thread.transcripts.js';
import type { Transcript } from '../transcript/transcript.js';
import type { LangGraphEvent } from './langgraph.events.js';
import { isWanted, questionIdOf, type Subscription } from './langgraph.input.js';
import { LangGraphMapper, runIndexOf } from './langgraph.mapper.js';

/** How long a stream trusts that no hint means no new run, in milliseconds. */
const RECHECK_MS = 5_000;

export interface ThreadReader {
  readonly principal: Principal;
  readonly threadId: string;
  readonly subscription: Subscription;
  /** As in {@link Follow.ready}. */
  readonly ready: () => Promise<void> | undefined;
}

/** A thread as its readers follow it: its current run, and every one that is started after it, until they leave. */
@Injectable()
export class LangGraphStream {
  constructor(
    private readonly transcripts: ThreadTranscripts,
    private readonly feed: RunFeed,
    private readonly wakeups: Wakeups,
  ) {}

  /** Never completes. Idle while there is no such thread of this principal's: clients may listen before they start. */
  follow(reader: ThreadReader): Observable<Frame> {
    const frames = new Observable<Frame>((subscriber) => {
      const left = new AbortController();
      subscriber.add(() => left.abort());
      this.read(reader, left.signal, (frame) => subscriber.next(frame)).catch((error: unknown) =>
        subscriber.error(error),
      );
    });
    return concat(of(OPENING), frames);
  }

  private async read(reader: ThreadReader, left: AbortSignal, send: (frame: Frame) => void): Promise<void> {
    const { threadId, subscription } = reader;
    const started = new Hints(this.wakeups, `thread:${threadId}`, RECHECK_MS);
    left.addEventListener('abort', () => started.close(), { once: true });
    let runs: Run[] = [];
    let seen: Run | undefined;
    let transcript: Transcript | undefined;
    while (!left.aborted) {
      started.clear();
      runs = await this.runsOf(reader, runs);
      const next = nextRun(runs, seen, subscription.since);
      if (!next) {
        await new Promise<void>((resolve) => started.next(resolve));
        continue;
      }
      const index = runs.indexOf(next);
      transcript ??= await this.transcripts.read(runs.slice(0, index), questionIdOf);
      transcript.ask(questionIdOf(next), next.message);
      await this.followRun(next, new LangGraphMapper(index, transcript), { reader, left, send });
      seen = next;
    }
  }

  private async followRun(
    run: Run,
    mapper: LangGraphMapper,
    { reader, left, send }: { reader: ThreadReader; left: AbortSignal; send: (frame: Frame) => void },
  ): Promise<void> {
    const { subscription, ready } = reader;
    const { since = 0 } = subscription;
    await new Promise<void>((resolve, reject) => {
      const following = this.feed.follow({ runId: run.id, afterSeq: 0, ready }).subscribe({
        next: (recorded) => {
          for (const event of mapper.map(recorded)) {
            if (event.seq > since && isWanted(event, subscription)) send(frameOf(event));
          }
        },
        error: reject,
        complete: resolve,
      });
      const leave = () => {
        following.unsubscribe();
        resolve();
      };
      if (left.aborted) leave();
      else left.addEventListener('abort', leave, { once: true });
      following.add(() => left.removeEventListener('abort', leave));
    });
  }

  private async runsOf({ principal, threadId }: ThreadReader, known: readonly Run[]): Promise<Run[]> {
    try {
      return await this.transcripts.runsOf(principal, threadId, known);
    } catch (error) {
      if (error instanceof AppError && error.code === 'NOT_FOUND') return [];
      throw error;
    }
  }
}

/** Clients wait for the head of the response; what is no event they pass over. */
const OPENING = new Frame('0', 'ready', '{"type":"ready"}');

function frameOf(event: LangGraphEvent): Frame {
  return new Frame(event.event_id, event.method, JSON.stringify(event));
}

/** A reader that has nothing starts with the current run: what came before it is in that run's first state. */
function nextRun(runs: readonly Run[], seen: Run | undefined, since: number | undefined): Run | undefined {
  if (seen) return runs[runs.findIndex(({ id }) => id === seen.id) + 1];
  return since === undefined ? currentRun(runs) : (runs[runIndexOf(since)] ?? currentRun(runs));
}
