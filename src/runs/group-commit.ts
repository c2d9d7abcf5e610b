import { AppError } from '../errors.js';
import type { AppendBatch, AppendResult, EventLog } from './event.log.js';

/** Somebody with events to append: hands them over as one batch, and learns what became of it. */
export interface CommitSource {
  /** Everything that waits, as one batch; undefined when nothing does. */
  takeBatch(): AppendBatch | undefined;
  settle(batch: AppendBatch, result: AppendResult | AppError): void;
}

/** For every so many runs in a commit a token waits for one interval more; for six in all at most. */
const CROWD = 15;
const MOST_INTERVALS = 6;

/**
 * Collects the events of all runs of this process and appends them together: one call, and in most storages one
 * transaction, instead of one per token. Batches of one run go out in order; the next does not wait for the last.
 */
export class GroupCommit {
  private readonly waiting = new Set<CommitSource>();
  private timer: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;
  /** Runs that were in the commits of late. A boundary that one run commits in between does not disperse them. */
  private company = 0;

  /**
   * @param intervalMs how long a token may wait for company. Default 10: unseen by people, and a hundredth of the commits. While
   *   many runs speak, up to six times as long, so that tokens of a run meet and share a row, a frame and a write.
   */
  constructor(
    private readonly log: EventLog,
    private readonly intervalMs = 10,
  ) {}

  /** `now`: at the end of this turn of the event loop, so that what happens together is committed together. */
  schedule(source: CommitSource, when: 'now' | 'soon'): void {
    this.waiting.add(source);
    if (when === 'now') this.immediate ??= setImmediate(() => this.commit(this.waiting));
    else this.timer ??= setTimeout(() => this.commit(this.waiting), this.patience());
  }

  /** Appends what this one source has, before returning to the caller. */
  commitNow(source: CommitSource): void {
    this.commit(new Set([source]));
  }

  private commit(sources: Set<CommitSource>): void {
    if (sources === this.waiting) {
      this.disarm();
      this.company = Math.max(sources.size, this.company / 2);
    }
    const taken: { source: CommitSource; batch: AppendBatch }[] = [];
    for (const source of sources) {
      const batch = source.takeBatch();
      if (batch) taken.push({ source, batch });
    }
    sources.clear();
    if (taken.length === 0) return;

    void this.append(taken);
  }

  private async append(
    taken: readonly { readonly source: CommitSource; readonly batch: AppendBatch }[],
  ): Promise<void> {
    const results = await this.log.append(taken.map(({ batch }) => batch)).catch(failureOf);
    taken.forEach(({ source, batch }, index) =>
      source.settle(batch, results instanceof AppError ? results : (results[index] ?? 'fenced')),
    );
  }

  private patience(): number {
    return this.intervalMs * Math.min(MOST_INTERVALS, 1 + Math.floor(this.company / CROWD));
  }

  private disarm(): void {
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
    this.timer = undefined;
    this.immediate = undefined;
  }
}

function failureOf(error: unknown): AppError {
  return error instanceof AppError
    ? error
    : new AppError('STORAGE_FAILED', 'The event log could not be written.', { cause: error });
}
