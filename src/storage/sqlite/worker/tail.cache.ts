import type { DatabaseSync } from 'node:sqlite';

/** End of a run's log, and its owner. */
export interface LogTail {
  readonly ordinal: number;
  readonly epoch: number;
  readonly lastSeq: number;
  /** Of its frames. Counted along, because to sum them up at the end of every run would read all of its rows. */
  readonly bytes: number;
}

/** Bytes of a run's log. SQLite knows the length of a text without reading it. */
export const LOG_BYTES = `(
  SELECT coalesce(sum(octet_length(frames)), 0) FROM batches WHERE batches.run = runs.ordinal)`;

/**
 * Ends of the logs that are being written, so that an append need not look up its predecessor's: that would cost a third of it. Only
 * this thread writes to the database, so what it remembers is true as long as whatever gives a run another owner, removes it, or
 * undoes what was done has it forgotten.
 */
export class TailCache {
  private readonly tails = new Map<string, LogTail>();
  private readonly stored: ReturnType<DatabaseSync['prepare']>;

  constructor(db: DatabaseSync) {
    this.stored = db.prepare(`
      SELECT ordinal, epoch,
        (SELECT coalesce(max(last_seq), 0) FROM batches WHERE batches.run = runs.ordinal) AS lastSeq, ${LOG_BYTES} AS bytes
      FROM runs WHERE id = ? AND ended_at IS NULL`);
  }

  /** Undefined when nothing can be written for the run: it has ended, or is not there. */
  get(runId: string): LogTail | undefined {
    return this.tails.get(runId) ?? (this.stored.get(runId) as LogTail | undefined);
  }

  note(runId: string, tail: LogTail): void {
    this.tails.set(runId, tail);
  }

  forget(runId: string): void {
    this.tails.delete(runId);
  }

  forgetAll(): void {
    this.tails.clear();
  }
}
