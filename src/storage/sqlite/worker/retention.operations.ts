import type { DatabaseSync } from 'node:sqlite';
import type { StoredBatch } from '../../batch.frames.js';
import { deletionOn } from './thread.deletion.ts';

/** Pages given back at a time: a mebibyte, which holds up a commit for about a millisecond. */
const PAGES_GIVEN_BACK = 256;

/** Free pages that are left alone: they are about to be used again, and that costs less than to shrink and to grow. */
const PAGES_KEPT_FREE = 1_024;

/** What makes room. Each function is one step; the caller gives it its transaction. */
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
  const noteCompacted = db.prepare('UPDATE runs SET compacted = 1, first_seq = ? WHERE ordinal = ?');
  const idle = db.prepare(`
    SELECT id FROM threads INDEXED BY threads_by_change
    WHERE updated_at < :unchangedSince AND NOT EXISTS (
      SELECT 1 FROM runs INDEXED BY runs_unended WHERE runs.thread_id = threads.id AND runs.ended_at IS NULL)
    ORDER BY updated_at, ordinal LIMIT :limit`);
  const [pages, freePages, pageBytes] = ['page_count', 'freelist_count', 'page_size'].map((name) => {
    const pragma = db.prepare(`PRAGMA ${name}`);
    return () => Number(pragma.get()?.[name]);
  }) as [() => number, () => number, () => number];
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

    deleteIdleThreads(input: { readonly unchangedSince: number; readonly limit: number }): string[] {
      const ids = idle.all({ ...input }).map((row) => row['id'] as string);
      for (const id of ids) deleteThread(id);
      return ids;
    },

    /** Bytes in use. What was deleted does not count, though its pages may wait in the file for their next use. */
    usedBytes(): number {
      return (pages() - freePages()) * pageBytes();
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
