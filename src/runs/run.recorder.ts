import { getTraits } from '../events/event-traits.js';
import { withPlainData } from '../events/plain-data.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEnd, RunEvent } from '../events/run-event.js';
import { AppError } from '../errors.js';
import type { AppendBatch, AppendResult, RunEnding, SaidText } from './event-log.js';
import type { CommitSource, GroupCommit } from './group-commit.js';
import { NOTHING_OPEN, trackOpen, type OpenItems } from './open-items.js';

/** The facts that a recorder needs about its run, and the callbacks for its commits. */
export interface RecordedRun {
  readonly runId: string;
  readonly threadId: string;
  readonly epoch: number;
  /** The last event of the log when this owner took over; 0 for a new run. */
  readonly lastSeq: number;
  /** The items that earlier owners left open. */
  readonly open?: OpenItems;
  /** Called after each commit, in order. */
  onCommitted(events: readonly RecordedEvent[]): void;
  /** Called once: another owner has the run (`fenced`), or the log cannot be written. */
  onLost(reason: 'fenced' | AppError): void;
}

/** Characters that may wait for their commit before `emit` asks its caller to wait. */
const UNACKNOWLEDGED_LIMIT = 256 * 1024;

/** Deltas that meet before their commit are joined up to this length; a longer one would only delay its readers. */
const JOINED_DELTA_LIMIT = 4 * 1024;

/**
 * The single writer of a run, for as long as this process owns it. Numbers events, appends them in group commits, and says
 * so after each. Nothing is shown to anybody before its append: a viewer never sees a word that the log does not have.
 */
export class RunRecorder implements CommitSource {
  private state: 'open' | 'closed' | 'lost' = 'open';
  private pending: { event: RunEvent; at: number }[] = [];
  /** The last event that was handed over, and the last that is durable. */
  private seq: number;
  private durableSeq: number;
  private unacknowledged = 0;
  private openItems: OpenItems;
  private hasEmittedText = false;
  private said: SaidText | undefined;
  /** Events that were refused with the end of the run, because a message waits for it. */
  private refused: { event: RunEvent; at: number }[] = [];
  private readonly waiters = new Set<() => void>();

  constructor(
    private readonly run: RecordedRun,
    private readonly commits: GroupCommit,
    private readonly now: () => number = Date.now,
  ) {
    this.seq = run.lastSeq;
    this.durableSeq = run.lastSeq;
    this.openItems = run.open ?? NOTHING_OPEN;
  }

  /** The items that have begun and not ended, including those that are not committed yet. */
  get open(): OpenItems {
    return this.openItems;
  }

  /** See {@link Emit}. After the end, or when the run is lost, an event is dropped. */
  readonly emit = (emitted: RunEvent): void | Promise<void> => {
    if (this.state !== 'open') return;
    const event = withPlainData(emitted);
    const at = this.now();
    this.openItems = trackOpen(this.openItems, event, at);

    if (!this.joinToLast(event)) this.pending.push({ event, at });
    this.unacknowledged += weigh(event);
    this.commits.schedule(this, this.isUrgent(event) ? 'now' : 'soon');

    if (this.unacknowledged > UNACKNOWLEDGED_LIMIT)
      return this.settled(() => this.unacknowledged <= UNACKNOWLEDGED_LIMIT);
  };

  /** Appends what waits before returning: what the caller stores next, in this same turn, belongs to the same commit. */
  commitNow(): void {
    this.commits.commitNow(this);
  }

  /**
   * Records the run's last event. Resolves when it is durable, or when the run turned out to be lost. `message-waits`: the run goes on, because it has a
   * message that it has not taken.
   */
  async end(event: RunEnd, said?: SaidText): Promise<'ended' | 'lost' | 'message-waits'> {
    this.said = said;
    void this.emit(event);
    if (this.state === 'open') this.state = 'closed';
    await this.flush();
    return this.ended;
  }

  /** Resolves when everything emitted so far is durable, whatever comes after it, or when the run turned out to be lost. */
  async flush(): Promise<void> {
    this.commits.commitNow(this);
    const { seq } = this;
    // An end that was refused has taken its number back.
    await this.settled(() => this.durableSeq >= Math.min(seq, this.seq));
  }

  /** Drops what waits and writes no more: the run goes on under another owner. */
  abandon(): void {
    this.state = 'lost';
    this.pending = [];
    this.unacknowledged = 0;
    this.wakeWaiters();
  }

  takeBatch(): AppendBatch | undefined {
    if (this.pending.length === 0) return undefined;
    const { runId, threadId, epoch } = this.run;
    const afterSeq = this.seq;
    const events = this.pending.map(({ event, at }) => ({
      runId,
      threadId,
      seq: ++this.seq,
      epoch,
      at,
      event,
    }));
    this.pending = [];
    const last = events.at(-1)?.event;
    const batch = { runId, epoch, afterSeq, events };
    return last?.type === 'end'
      ? {
          ...batch,
          ending: toEnding(last, this.openItems, this.said),
        }
      : batch;
  }

  settle(batch: AppendBatch, result: AppendResult | AppError): void {
    if (this.state === 'lost') return;
    if (result === 'message-waits') {
      this.refused.push(...batch.events);
      if (batch.ending) this.reopen();
      return;
    }
    if (result !== 'appended') {
      this.abandon();
      this.run.onLost(result);
      return;
    }
    for (const { event } of batch.events) this.unacknowledged -= weigh(event);
    this.durableSeq = batch.afterSeq + batch.events.length;
    this.run.onCommitted(batch.events);
    this.wakeWaiters();
  }

  /** State after the end was emitted and is durable or refused. */
  private get ended(): 'ended' | 'lost' | 'message-waits' {
    if (this.state === 'open') return 'message-waits';
    return this.state === 'closed' ? 'ended' : 'lost';
  }

  /** Takes the end back, which was the last event. What was refused with it is appended again. */
  private reopen(): void {
    const events = this.refused.filter(({ event }) => event.type !== 'end');
    this.pending = events.map(({ event, at }) => ({ event, at }));
    this.unacknowledged = events.reduce((sum, { event }) => sum + weigh(event), 0);
    this.refused = [];
    this.seq = this.durableSeq;
    this.said = undefined;
    this.state = 'open';
    this.wakeWaiters();
  }

  /** Joins a delta to the one before it, when both wait for the same commit: fewer events, the same words. */
  private joinToLast(event: RunEvent): boolean {
    if (event.type !== 'text-delta' && event.type !== 'reasoning-delta') return false;
    const last = this.pending.at(-1);
    if (last?.event.type !== event.type || last.event.partId !== event.partId) return false;
    if (last.event.delta.length + event.delta.length > JOINED_DELTA_LIMIT) return false;
    last.event = { ...last.event, delta: last.event.delta + event.delta };
    return true;
  }

  /** Boundaries, and the first words, are worth a commit of their own; what follows them travels in company. */
  private isUrgent(event: RunEvent): boolean {
    const { commit } = getTraits(event);
    if (commit !== 'first-at-once') return commit === 'at-once';
    const isFirst = !this.hasEmittedText;
    this.hasEmittedText = true;
    return isFirst;
  }

  private settled(isSettled: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (this.state !== 'lost' && !isSettled()) return;
        this.waiters.delete(check);
        resolve();
      };
      this.waiters.add(check);
      check();
    });
  }

  private wakeWaiters(): void {
    for (const check of this.waiters) check();
  }
}

function toEnding(
  { outcome, usage, error }: RunEnd,
  { inputs }: OpenItems,
  said: SaidText | undefined,
): RunEnding {
  return {
    outcome,
    usage,
    ...(error && { error }),
    ...(outcome === 'awaiting-input' && { inputs }),
    ...(said && { said }),
  };
}

/** Roughly what an event holds in memory; additive over joined deltas, so that what was counted in is counted out. */
function weigh(event: RunEvent): number {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
      return event.delta.length;
    default:
      return 64;
  }
}
