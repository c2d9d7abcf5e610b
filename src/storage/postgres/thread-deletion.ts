import { deleteCheckpoints } from './checkpoint-tables.js';
import type { Statements } from './postgres.database.js';

/**
 * Removes the thread of a key: its runs with their logs and idempotency keys, all that LangGraph remembers of it, and its blobs. Triggers
 * remove its words from the index. The caller holds its lock.
 *
 * The runs go first, by a statement of their own. Transactions that append to one of them, compact it, or to store a checkpoint of
 * it holds its row: that is waited for, and comes from then on to a run that is not there. Only a later statement sees, and removes,
 * what was stored meanwhile. The blobs go last, for the same reason: one that is being stored holds the row of the thread.
 */
export async function deleteThread(tx: Statements, s: string, threadKey: string): Promise<void> {
  const runs = await tx.query<{ ordinal: number }>(
    `DELETE FROM ${s}.runs WHERE thread_id = $1 RETURNING ordinal`,
    [threadKey],
  );
  await tx.query(`DELETE FROM ${s}.batches WHERE run = ANY ($1::bigint[])`, [
    runs.map(({ ordinal }) => ordinal),
  ]);
  await deleteCheckpoints(tx, s, threadKey);
  await tx.query(`DELETE FROM ${s}.threads WHERE id = $1`, [threadKey]);
  await tx.query(`DELETE FROM ${s}.blobs WHERE thread_id = $1`, [threadKey]);
}
