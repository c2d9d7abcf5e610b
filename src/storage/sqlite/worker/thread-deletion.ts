import type { DatabaseSync } from 'node:sqlite';
import { pruningOn } from './checkpoint-pruning.ts';

/**
 * Removes the thread of a key with all that was said in it. Its checkpoints go in the same transaction: no crash can leave behind a
 * memory of a thread that can no longer be deleted, because it is not there.
 */
export function deletionOn(db: DatabaseSync): (threadKey: string) => void {
  const pruning = pruningOn(db);
  const statements = [
    `DELETE FROM run_words WHERE rowid IN (
      SELECT ordinal FROM runs WHERE thread_id = ?1 UNION ALL SELECT -ordinal FROM threads WHERE id = ?1)`,
    'DELETE FROM batches WHERE run IN (SELECT ordinal FROM runs WHERE thread_id = ?)',
    'DELETE FROM runs WHERE thread_id = ?',
    'DELETE FROM blobs WHERE thread_id = ?',
    'DELETE FROM threads WHERE id = ?',
  ].map((sql) => db.prepare(sql));
  return (threadKey) => {
    for (const statement of statements) statement.run(threadKey);
    pruning.deleteAll(threadKey);
  };
}
