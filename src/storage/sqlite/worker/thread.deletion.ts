import type { DatabaseSync } from 'node:sqlite';
import { pruningOn } from './checkpoint.pruning.ts';

/**
 * Removes a thread with all that was said in it. Its checkpoints go in the same transaction: no crash can leave behind a memory
 * of a thread that nobody can delete any more, because it is not there.
 */
export function deletionOn(db: DatabaseSync): (threadId: string) => void {
  const pruning = pruningOn(db);
  const statements = [
    'DELETE FROM batches WHERE run IN (SELECT ordinal FROM runs WHERE thread_id = ?)',
    'DELETE FROM runs WHERE thread_id = ?',
    'DELETE FROM threads WHERE id = ?',
  ].map((sql) => db.prepare(sql));
  return (threadId) => {
    for (const statement of statements) statement.run(threadId);
    pruning.deleteAll(threadId);
  };
}
