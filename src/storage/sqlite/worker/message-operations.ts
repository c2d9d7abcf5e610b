import type { DatabaseSync } from 'node:sqlite';
import type { MessagesChange, MessagesResult } from '../../../runs/run-messages.js';
import { planMessages, type MessagesRow } from '../../run-messages-row.ts';

/** The messages to runs that are under way. Each function is one step; the caller gives it its transaction. */
export function messageOperations(db: DatabaseSync) {
  const find = db.prepare('SELECT messages, cancel_requested, epoch, ended_at FROM runs WHERE id = ?');
  const set = db.prepare('UPDATE runs SET messages = :messages, message_waits = :waits WHERE id = :runId');

  return {
    changeMessages(change: MessagesChange): MessagesResult {
      const { runId } = change;
      const row = find.get(runId) as MessagesRow | undefined;
      if (!row) return { outcome: 'no-run' };
      const { result, columns } = planMessages(change, row);
      if (columns) set.run({ runId, messages: columns.messages, waits: Number(columns.waits) });
      return result;
    },
  };
}
