import type { DatabaseSync } from 'node:sqlite';
import type { StoredBatch } from '../../batch.frames.js';
import type { LogTails } from './log.tails.js';

export interface NewBatch {
  readonly runId: string;
  readonly epoch: number;
  readonly afterSeq: number;
  readonly lastSeq: number;
  readonly frames: string;
  readonly ending?: {
    readonly outcome: string;
    readonly error: string | null;
    readonly usage: string;
    readonly approvals: string | null;
    readonly awaitingUntil: number | null;
  };
}

export interface StoredLog {
  readonly threadId: string;
  readonly batches: StoredBatch[];
}

export function logOperations(db: DatabaseSync, tails: LogTails) {
  const insert = db.prepare(
    'INSERT INTO batches (run, first_seq, last_seq, epoch, frames) VALUES (?, ?, ?, ?, ?)',
  );
  const end = db.prepare(`
    UPDATE runs SET status = :outcome, ended_at = :now, error = :error, usage = :usage,
      approvals = :approvals, awaiting_until = :awaitingUntil, owner_id = NULL, lease_until = 0
    WHERE ordinal = :ordinal`);
  const touchThread = db.prepare(
    'UPDATE threads SET updated_at = :now WHERE id = (SELECT thread_id FROM runs WHERE ordinal = :ordinal)',
  );
  const runById = db.prepare('SELECT ordinal, thread_id FROM runs WHERE id = ?');
  const batchesAfter = db.prepare(`
    SELECT first_seq AS firstSeq, last_seq AS lastSeq, epoch, frames FROM batches
    WHERE run = ? AND last_seq > ? ORDER BY last_seq`);

  const appendOne = (batch: NewBatch, now: number): boolean => {
    const { runId, epoch, afterSeq, lastSeq, frames, ending } = batch;
    const tail = tails.of(runId);
    if (!tail || tail.epoch !== epoch || tail.lastSeq !== afterSeq) return false;
    insert.run(tail.ordinal, afterSeq + 1, lastSeq, epoch, frames);
    if (!ending) {
      tails.note(runId, { ...tail, lastSeq });
      return true;
    }
    end.run({ ...ending, now, ordinal: tail.ordinal });
    touchThread.run({ now, ordinal: tail.ordinal });
    tails.forget(runId);
    return true;
  };

  return {
    /** True for each batch that was appended, false for each that was refused. */
    append({ batches, now }: { readonly batches: readonly NewBatch[]; readonly now: number }): boolean[] {
      return batches.map((batch) => appendOne(batch, now));
    },

    /** The batches that hold the events after that seq, at least until `limit` events are there. */
    readLog(input: {
      readonly runId: string;
      readonly afterSeq: number;
      readonly limit: number;
    }): StoredLog | undefined {
      const { runId, afterSeq, limit } = input;
      const run = runById.get(runId) as { ordinal: number; thread_id: string } | undefined;
      if (!run) return undefined;
      const batches: StoredBatch[] = [];
      let events = 0;
      for (const row of batchesAfter.iterate(run.ordinal, afterSeq)) {
        const batch = row as unknown as StoredBatch;
        batches.push(batch);
        events += batch.lastSeq - Math.max(batch.firstSeq - 1, afterSeq);
        if (events >= limit) break;
      }
      return { threadId: run.thread_id, batches };
    },
  };
}
