import { AppError } from '../errors.js';
import type { Metrics } from '../telemetry/metrics.js';
import { ATTRIBUTES } from '../telemetry/names.js';
import type { AppendBatch, AppendResult, EventLog } from './event-log.js';

/** Somebody with events to append: hands them over as one batch, and learns what became of it. */
export interface CommitSource {
  /** Everything that waits, as one batch; undefined when nothing does. */
  takeBatch(): AppendBatch | undefined;
  settle(batch: AppendBatch, result: AppendResult | AppError): void;
}

/** For every so many runs in a commit a token waits for one interval more; for six in all at most. */
const RUNS_PER_STEP = 15;
const MAX_INTERVALS = 6;

/**
 * Collects the events of all runs of this process and appends them together: one call, and in most storages one
 * transaction, instead of one per token. Batches of one run go out in order; the next does not wait for the last.
 */
export class GroupCommit {
  private readonly waiting = new Set<CommitSource>();
  private timer: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;
  /** Recent number of runs per commit, decayed by half. A boundary that one run commits in between does not reset it. */
  private recentBatchSize = 0;

  /**
   * @param intervalMs how long a token may wait for company. Default 10: unseen by people, and a hundredth of the commits. While
   *   many runs speak, up to six times as long, so that tokens of a run meet and share a row, a frame and a write.
   */
  constructor(
    private readonly log: EventLog,
    private readonly intervalMs = 10,
    private readonly metrics?: Metrics,
  ) {}

  /** `now`: at the end of this turn of the event loop, so that what happens together is committed together. */
  schedule(source: CommitSource, when: 'now' | 'soon'): void {
    this.waiting.add(source);
    if (when === 'now') this.immediate ??= setImmediate(() => this.commit(this.waiting));
    else this.timer ??= setTimeout(() => this.commit(this.waiting), this.delayMs());
  }

  /** Appends what this one source has, before returning to the caller. */
  commitNow(source: CommitSource): void {
    this.commit(new Set([source]));
  }

  private commit(sources: Set<CommitSource>): void {
    if (sources === this.waiting) {
      this.disarm();
      this.recentBatchSize = Math.max(sources.size, this.recentBatchSize / 2);
    }
    const batches: { source: CommitSource; batch: AppendBatch }[] = [];
    for (const source of sources) {
      const batch = source.takeBatch();
      if (batch) batches.push({ source, batch });
    }
    sources.clear();
    if (batches.length === 0) return;

    void this.append(batches);
  }

  private async append(
    batches: readonly { readonly source: CommitSource; readonly batch: AppendBatch }[],
  ): Promise<void> {
    const startedAt = performance.now();
    const results = await this.log.append(batches.map(({ batch }) => batch)).catch(toStorageError);
    this.metrics?.record(
      'appendDuration',
      (performance.now() - startedAt) / 1000,
      results instanceof AppError ? { [ATTRIBUTES.errorType]: results.code } : undefined,
    );
    batches.forEach(({ source, batch }, index) =>
      source.settle(batch, results instanceof AppError ? results : (results[index] ?? 'fenced')),
    );
  }

  private delayMs(): number {
    return this.intervalMs * Math.min(MAX_INTERVALS, 1 + Math.floor(this.recentBatchSize / RUNS_PER_STEP));
  }

  private disarm(): void {
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
    this.timer = undefined;
    this.immediate = undefined;
  }
}

function toStorageError(error: unknown): AppError {
  return error instanceof AppError
    ? error
    : new AppError('STORAGE_FAILED', 'The event log could not be written.', { cause: error });
}
