import { Injectable } from '@nestjs/common';
import { Observable } from 'rxjs';
import { AppError } from '../../errors.js';
import { weighEvent } from '../../events/event-weight.js';
import { Frame } from '../../http/frame.js';
import type { Principal } from '../../principal.js';
import { WakeupSignal } from '../../runs/wakeup.signal.js';
import { selectBranch } from '../../runs/branches.js';
import type { Run } from '../../runs/run.js';
import { RunFeed } from '../../runs/run.feed.js';
import { threadTopic, Wakeups } from '../../runs/wakeups.js';
import { FoldBudget } from '../fold.budget.js';
import { currentRun, ThreadTranscripts, TRANSCRIPT_BYTES } from '../transcript/thread-transcripts.js';
import type { Transcript } from '../transcript/transcript.js';
import { getStateRunId } from './langgraph-checkpoints.js';
import type { LangGraphEvent } from './langgraph-events.js';
import { getQuestionId } from './langgraph-input.js';
import { isWanted, type Subscription } from './langgraph-subscription.js';
import { LangGraphMapper, getRunIndex } from './langgraph.mapper.js';

/** Time after which a stream looks for a new run without a hint, in milliseconds. */
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
    private readonly folds: FoldBudget,
  ) {}

  /** Never completes. Idle while there is no such thread of this principal's: clients may listen before they start. */
  follow(reader: ThreadReader): Observable<Frame> {
    return new Observable<Frame>((subscriber) => {
      const closed = new AbortController();
      subscriber.add(() => closed.abort());
      this.read(reader, closed.signal, (frame) => subscriber.next(frame)).catch((error: unknown) =>
        subscriber.error(error),
      );
    });
  }

  private async read(reader: ThreadReader, closed: AbortSignal, send: (frame: Frame) => void): Promise<void> {
    const { principal, threadId, subscription } = reader;
    const started = new WakeupSignal(this.wakeups, threadTopic(principal, threadId), RECHECK_MS);
    closed.addEventListener('abort', () => started.close(), { once: true });
    let runs: Run[] = [];
    let seen: Run | undefined;
    let opened = false;
    let transcript: Transcript | undefined;
    while (!closed.aborted) {
      started.clear();
      runs = await this.listRuns(reader, runs);
      if (!opened) send(OPENING);
      opened = true;
      const next = nextRun(runs, seen, subscription.since);
      if (!next) {
        await new Promise<void>((resolve) => started.next(resolve));
        continue;
      }
      const index = runs.indexOf(next);
      const earlier = selectBranch(runs, next.id).slice(0, -1);
      if (!transcript || earlier.at(-1)?.id !== seen?.id || next.given?.fromCheckpoint !== undefined)
        transcript = await this.transcripts.read(earlier, getQuestionId, { next });
      transcript.trim(TRANSCRIPT_BYTES);
      const parent = earlier.at(-1);
      transcript.ask(getQuestionId(next), next);
      await this.followRun(next, new LangGraphMapper(index, transcript, parent && getStateRunId(parent)), {
        reader,
        closed,
        send,
      });
      seen = next;
    }
  }

  private async followRun(
    run: Run,
    mapper: LangGraphMapper,
    { reader, closed, send }: { reader: ThreadReader; closed: AbortSignal; send: (frame: Frame) => void },
  ): Promise<void> {
    const { subscription } = reader;
    const { since = 0 } = subscription;
    const fold = this.folds.open(reader.principal);
    const ready = () => fold.ready() ?? reader.ready();
    await new Promise<void>((resolve, reject) => {
      const following = this.feed.follow({ runId: run.id, afterSeq: 0, ready }).subscribe({
        next: (read) => {
          // The states and messages of a copied thread are called as they were.
          const recorded = run.copyOf === undefined ? read : { ...read, runId: getStateRunId(run) };
          fold.add(weighEvent(recorded.event));
          for (const event of mapper.map(recorded)) {
            if (event.seq > since && isWanted(event, subscription)) send(toFrame(event));
          }
        },
        error: reject,
        complete: resolve,
      });
      const leave = () => {
        following.unsubscribe();
        resolve();
      };
      if (closed.aborted) leave();
      else closed.addEventListener('abort', leave, { once: true });
      following.add(() => closed.removeEventListener('abort', leave));
    }).finally(() => fold.close());
  }

  private async listRuns({ principal, threadId }: ThreadReader, known: readonly Run[]): Promise<Run[]> {
    try {
      return await this.transcripts.listRuns(principal, threadId, known);
    } catch (error) {
      if (error instanceof AppError && error.code === 'NOT_FOUND') return [];
      throw error;
    }
  }
}

/** Clients wait for the head of the response: this brings it as soon as the thread could be read. They pass over it. */
const OPENING = new Frame('0', 'ready', '{"type":"ready"}');

function toFrame(event: LangGraphEvent): Frame {
  return new Frame(event.event_id, event.method, JSON.stringify(event));
}

/** A reader that has nothing starts with the current run: what came before it is in that run's first state. */
function nextRun(runs: readonly Run[], seen: Run | undefined, since: number | undefined): Run | undefined {
  if (seen) return runs[runs.findIndex(({ id }) => id === seen.id) + 1];
  return since === undefined ? currentRun(runs) : (runs[getRunIndex(since)] ?? currentRun(runs));
}
