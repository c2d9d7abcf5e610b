import type { DatabaseSync } from 'node:sqlite';

/** Where a run's log ends, and under which owner. */
export interface LogTail {
  readonly ordinal: number;
  readonly epoch: number;
  readonly lastSeq: number;
}

/**
 * Where the logs end that are being written, so that an append need not look up what the one before it has left: a third of what
 * it would cost. Only this thread writes to the database, so what it remembers is true as long as whatever gives a run another
 * owner, removes it, or undoes what was done has it forgotten.
 */
export class LogTails {
  private readonly known = new Map<string, LogTail>();
  private readonly stored: ReturnType<DatabaseSync['prepare']>;

  constructor(db: DatabaseSync) {
    this.stored = db.prepare(`
      SELECT ordinal, epoch,
        (SELECT coalesce(max(last_seq), 0) FROM batches WHERE batches.run = runs.ordinal) AS lastSeq
      FROM runs WHERE id = ? AND ended_at IS NULL`);
  }

  /** Undefined when nothing can be written for the run: it has ended, or is not there. */
  of(runId: string): LogTail | undefined {
    return this.known.get(runId) ?? (this.stored.get(runId) as LogTail | undefined);
  }

  note(runId: string, tail: LogTail): void {
    this.known.set(runId, tail);
  }

  forget(runId: string): void {
    this.known.delete(runId);
  }

  forgetAll(): void {
    this.known.clear();
  }
}
