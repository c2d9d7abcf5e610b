import type { Statements } from './postgres.database.js';
import { lockThread } from './run.creation.js';

/** Removes a thread with its runs and their logs, and sets the idempotency keys of its runs free. */
export async function deleteThread(tx: Statements, s: string, threadId: string): Promise<void> {
  await lockThread(tx, s, threadId);
  // The runs first: whoever appends to one of them is waited for here, and refused from now on.
  await tx.query(
    `WITH gone AS (DELETE FROM ${s}.runs WHERE thread_id = $1 RETURNING ordinal)
     DELETE FROM ${s}.batches USING gone WHERE batches.run = gone.ordinal`,
    [threadId],
  );
  await tx.query(`DELETE FROM ${s}.threads WHERE id = $1`, [threadId]);
}
