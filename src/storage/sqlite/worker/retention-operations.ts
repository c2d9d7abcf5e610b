import type { DatabaseSync } from 'node:sqlite';
import type { StoredBatch } from '../../batch.codec.js';
import type { ThreadRow } from '../../run-rows.js';
import { LOG_BYTES } from './tail.cache.ts';
import { deletionOn } from './thread-deletion.ts';

/** Pages given back at a time: a mebibyte, which holds up a commit for about a millisecond. */
const PAGES_GIVEN_BACK = 256;

/** Free pages that are left alone: they are about to be used again, and that costs less than to shrink and to grow. */
const PAGES_KEPT_FREE = 1_024;

/** A thread that was deleted. */
export type DeletedRow = Pick<ThreadRow, 'id' | 'name' | 'tenant' | 'user_id'>;

/** Bytes of an owner's ended runs and files. */
export interface UsageRow {
  readonly tenant: string;
  readonly userId: string;
  readonly bytes: number;
}

/** Makes room in the database. Each function is one step; the caller gives it its transaction. */
export function retentionOperations(db: DatabaseSync) {
  const deleteThread = deletionOn(db);
  const toCompact = db.prepare(`
    SELECT id FROM runs INDEXED BY runs_to_compact
    WHERE compacted = 0 AND ended_at IS NOT NULL AND ended_at < :endedBefore ORDER BY ended_at LIMIT :limit`);
  const compactable = db.prepare(`
    SELECT ordinal, (SELECT max(last_seq) FROM batches WHERE batches.run = runs.ordinal) AS lastSeq
    FROM runs WHERE id = ? AND ended_at IS NOT NULL AND compacted = 0`);
  const deleteBatches = db.prepare('DELETE FROM batches WHERE run = ?');
  const insertBatch = db.prepare(
    'INSERT INTO batches (run, first_seq, last_seq, epoch, frames) VALUES (?, ?, ?, ?, ?)',
  );
  const noteCompacted = db.prepare(
    `UPDATE runs SET compacted = 1, first_seq = ?, kept_bytes = octet_length(message) + ${LOG_BYTES} WHERE ordinal = ?`,
  );
  const idle = db.prepare(`
    SELECT id, name, tenant, user_id FROM threads INDEXED BY threads_by_change
    WHERE updated_at < :unchangedSince AND NOT EXISTS (
      SELECT 1 FROM runs INDEXED BY runs_unended WHERE runs.thread_id = threads.id AND runs.ended_at IS NULL)
    ORDER BY updated_at, ordinal LIMIT :limit`);
  const selectIdle = db.prepare(`
    SELECT id, name, tenant, user_id FROM threads INDEXED BY threads_of_owner
    WHERE tenant = :tenant AND user_id = :userId AND updated_at < :unchangedSince AND NOT EXISTS (
      SELECT 1 FROM runs INDEXED BY runs_unended WHERE runs.thread_id = threads.id AND runs.ended_at IS NULL)
    ORDER BY updated_at, ordinal LIMIT :limit`);
  const expired = db.prepare(`
    SELECT id, name, tenant, user_id FROM threads INDEXED BY threads_by_expiry
    WHERE ttl_ms IS NOT NULL AND max(updated_at, ttl_at) + ttl_ms <= :now AND NOT EXISTS (
      SELECT 1 FROM runs INDEXED BY runs_unended WHERE runs.thread_id = threads.id AND runs.ended_at IS NULL)
    ORDER BY max(updated_at, ttl_at) + ttl_ms LIMIT :limit`);
  const usage = db.prepare(`
    SELECT tenant, user_id AS userId, sum(kept) AS bytes FROM (
      SELECT tenant, user_id, sum(kept_bytes) AS kept FROM runs INDEXED BY runs_kept
        WHERE ended_at IS NOT NULL GROUP BY tenant, user_id
      UNION ALL SELECT tenant, user_id, sum(bytes) FROM blobs INDEXED BY blobs_kept GROUP BY tenant, user_id)
    GROUP BY tenant, user_id ORDER BY bytes DESC LIMIT ?`);
  const [pages, freePages, pageBytes] = ['page_count', 'freelist_count', 'page_size'].map((name) => {
    const pragma = db.prepare(`PRAGMA ${name}`);
    return () => Number(pragma.get()?.[name]);
  }) as [() => number, () => number, () => number];
  const inObjects = db.prepare('SELECT coalesce(sum(bytes), 0) AS bytes FROM blobs WHERE object IS NOT NULL');
  const giveBack = db.prepare(`PRAGMA incremental_vacuum(${PAGES_GIVEN_BACK})`);

  return {
    listUncompacted(input: { readonly endedBefore: number; readonly limit: number }): string[] {
      return toCompact.all({ ...input }).map((row) => row['id'] as string);
    },

    /** False unless the run has ended, was not compacted before, and keeps its last event. */
    compactLog({
      runId,
      batches,
    }: {
      readonly runId: string;
      readonly batches: readonly StoredBatch[];
    }): boolean {
      const run = compactable.get(runId) as { ordinal: number; lastSeq: number } | undefined;
      const [first, last] = [batches[0], batches.at(-1)];
      if (!run || !first || last?.lastSeq !== run.lastSeq) return false;
      deleteBatches.run(run.ordinal);
      for (const { firstSeq, lastSeq, epoch, frames } of batches) {
        insertBatch.run(run.ordinal, firstSeq, lastSeq, epoch, frames);
      }
      noteCompacted.run(first.firstSeq, run.ordinal);
      return true;
    },

    deleteIdleThreads({
      owner,
      ...threads
    }: {
      readonly unchangedSince: number;
      readonly limit: number;
      readonly owner?: { readonly tenant: string; readonly userId: string };
    }): DeletedRow[] {
      const found = owner ? selectIdle.all({ ...threads, ...owner }) : idle.all(threads);
      const rows = found as unknown as DeletedRow[];
      for (const { id } of rows) deleteThread(id);
      return rows;
    },

    deleteExpiredThreads(query: { readonly now: number; readonly limit: number }): DeletedRow[] {
      const rows = expired.all({ ...query }) as unknown as DeletedRow[];
      for (const { id } of rows) deleteThread(id);
      return rows;
    },

    listUsage(limit: number): UsageRow[] {
      return usage.all(limit) as unknown as UsageRow[];
    },

    /** Bytes in use, with those of objects. What was deleted does not count, though its pages may wait in the file for their next use. */
    usedBytes(): number {
      return (pages() - freePages()) * pageBytes() + Number(inObjects.get()?.['bytes']);
    },

    /** Shortens the file by some of its free pages; true when there is more to give. */
    shrink(): boolean {
      if (freePages() <= PAGES_KEPT_FREE) return false;
      // It frees a page per row that is read from it.
      giveBack.all();
      return freePages() > PAGES_KEPT_FREE;
    },
  };
}
