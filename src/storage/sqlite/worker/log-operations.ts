import type { DatabaseSync } from 'node:sqlite';
import { partOfBatch, type StoredBatch } from '../../batch.codec.ts';
import type { AppendResult, SaidText } from '../../../runs/event-log.js';
import type { EndingColumns } from '../../run-rows.js';
import { chargingOn } from './spending-operations.ts';
import type { TailCache } from './tail.cache.js';
import { indexingOn } from './word-index.ts';

export interface NewBatch {
  readonly runId: string;
  readonly epoch: number;
  readonly afterSeq: number;
  readonly lastSeq: number;
  readonly frames: string;
  readonly ending?: EndingColumns;
  /** With `ending`: the text by which the run is found. */
  readonly said?: SaidText;
}

export interface StoredLog {
  /** The thread's id, chosen by its owner. */
  readonly threadId: string;
  readonly batches: StoredBatch[];
  /** True when nothing comes after the last of them. */
  readonly atTail: boolean;
}

export function logOperations(db: DatabaseSync, tails: TailCache) {
  const insert = db.prepare(
    'INSERT INTO batches (run, first_seq, last_seq, epoch, frames) VALUES (?, ?, ?, ?, ?)',
  );
  const end = db.prepare(`
    UPDATE runs SET status = :outcome, ended_at = :now, error = :error, usage = :usage,
      approvals = :approvals, awaiting_until = :awaitingUntil, owner_id = NULL, lease_until = 0,
      kept_bytes = octet_length(message) + :bytes, indexed = 1
    WHERE ordinal = :ordinal`);
  const waits = db.prepare('SELECT 1 FROM runs WHERE ordinal = ? AND message_waits = 1');
  const charge = chargingOn(db);
  const index = indexingOn(db);
  const touchThread = db.prepare(
    'UPDATE threads SET updated_at = :now WHERE id = (SELECT thread_id FROM runs WHERE ordinal = :ordinal)',
  );
  const runById = db.prepare(
    'SELECT ordinal, coalesce(thread_name, thread_id) AS threadId FROM runs WHERE id = ?',
  );
  const same = db.prepare(`
    SELECT 1 FROM batches JOIN runs ON runs.ordinal = batches.run
    WHERE runs.id = ? AND batches.last_seq = ? AND batches.first_seq = ? AND batches.epoch = ? AND batches.frames = ?`);
  const batchesAfter = db.prepare(`
    SELECT first_seq AS firstSeq, last_seq AS lastSeq, epoch, frames FROM batches
    WHERE run = ? AND last_seq > ? ORDER BY last_seq`);

  /** An epoch has one writer: no other can have put it there. */
  const isThere = ({ runId, epoch, afterSeq, lastSeq, frames }: NewBatch): boolean =>
    same.get(runId, lastSeq, afterSeq + 1, epoch, frames) !== undefined;

  const appendOne = (batch: NewBatch, now: number): AppendResult => {
    const { runId, epoch, afterSeq, lastSeq, frames, ending, said } = batch;
    const tail = tails.get(runId);
    if (!tail || tail.epoch !== epoch || tail.lastSeq !== afterSeq) return 'fenced';
    if (ending?.outcome === 'completed' && waits.get(tail.ordinal)) return 'message-waits';
    insert.run(tail.ordinal, afterSeq + 1, lastSeq, epoch, frames);
    const bytes = tail.bytes + Buffer.byteLength(frames);
    if (!ending) {
      tails.note(runId, { ...tail, lastSeq, bytes });
      return 'appended';
    }
    end.run({ ...ending, now, bytes, ordinal: tail.ordinal });
    charge({ now, ordinal: tail.ordinal });
    if (said) index(tail.ordinal, said);
    touchThread.run({ now, ordinal: tail.ordinal });
    tails.forget(runId);
    return 'appended';
  };

  return {
    /**
     * Appends each batch if it may. With `isRetry`, this was tried before with an unknown end: a batch that stands in the log exactly as it is here was appended by that attempt.
     */
    append({
      batches,
      now,
      isRetry = false,
    }: {
      readonly batches: readonly NewBatch[];
      readonly now: number;
      readonly isRetry?: boolean;
    }): AppendResult[] {
      return batches.map((batch) => {
        const result = appendOne(batch, now);
        return result === 'fenced' && isRetry && isThere(batch) ? 'appended' : result;
      });
    },

    /**
     * The batches that hold the events after that seq, until there are `limit` events or `maxBytes` of them; at least one event.
     * Of a batch that is too large, the part that is asked for.
     */
    readLog(input: {
      readonly runId: string;
      readonly afterSeq: number;
      readonly limit: number;
      readonly maxBytes: number;
    }): StoredLog | undefined {
      const { runId, afterSeq, limit, maxBytes } = input;
      const run = runById.get(runId) as { ordinal: number; threadId: string } | undefined;
      if (!run) return undefined;
      const batches: StoredBatch[] = [];
      let events = 0;
      let bytes = 0;
      for (const row of batchesAfter.iterate(run.ordinal, afterSeq)) {
        if (events >= limit || bytes >= maxBytes) return { threadId: run.threadId, batches, atTail: false };
        const stored = row as unknown as StoredBatch;
        const batch = stored.frames.length > maxBytes ? partOfBatch(stored, { afterSeq, maxBytes }) : stored;
        batches.push(batch);
        events += batch.lastSeq - Math.max(batch.firstSeq - 1, afterSeq);
        bytes += batch.frames.length;
        if (batch.lastSeq < stored.lastSeq) return { threadId: run.threadId, batches, atTail: false };
      }
      return { threadId: run.threadId, batches, atTail: events <= limit };
    },
  };
}
