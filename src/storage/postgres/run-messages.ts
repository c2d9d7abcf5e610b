import type { MessagesChange, MessagesResult } from '../../runs/run-messages.js';
import { planMessages, type MessagesRow } from '../run-messages-row.js';
import type { Statements } from './postgres.database.js';

/** Changes the messages of a run. Its row is locked: the run's end comes before the change, or sees it. */
export async function changeMessages(
  tx: Statements,
  s: string,
  change: MessagesChange,
): Promise<MessagesResult> {
  const { runId } = change;
  const [row] = await tx.query<MessagesRow>(
    `SELECT messages, cancel_requested, epoch, ended_at FROM ${s}.runs WHERE id = $1 FOR NO KEY UPDATE`,
    [runId],
  );
  if (!row) return { outcome: 'no-run' };
  const { result, columns } = planMessages(change, row);
  if (columns)
    await tx.query(`UPDATE ${s}.runs SET messages = $2, message_waits = $3 WHERE id = $1`, [
      runId,
      columns.messages,
      columns.waits,
    ]);
  return result;
}
