import type { DatabaseSync } from 'node:sqlite';
import type { LogTails } from './log.tails.js';
import { deletionOn } from './thread.deletion.ts';

export interface ThreadRow {
  readonly ordinal: number;
  readonly id: string;
  readonly tenant: string;
  readonly user_id: string;
  readonly title: string;
  readonly created_at: number;
  readonly updated_at: number;
  readonly active_run_id: string | null;
}

const THREAD = `threads.*, (
  SELECT runs.id FROM runs INDEXED BY runs_unended
  WHERE runs.thread_id = threads.id AND runs.ended_at IS NULL ORDER BY runs.ordinal LIMIT 1
) AS active_run_id`;

export function threadOperations(db: DatabaseSync, tails: LogTails) {
  const byId = db.prepare(`SELECT ${THREAD} FROM threads WHERE id = ?`);
  const ofOwner = db.prepare(`
    SELECT ${THREAD} FROM threads
    WHERE tenant = :tenant AND user_id = :userId AND (updated_at, ordinal) < (:updatedBefore, :before)
    ORDER BY updated_at DESC, ordinal DESC LIMIT :limit`);
  const deleteThread = deletionOn(db);

  return {
    getThread(id: string): ThreadRow | undefined {
      return byId.get(id) as ThreadRow | undefined;
    },

    /** At most `limit`, latest change first, of those that come after these sort keys. */
    listThreads(input: {
      readonly tenant: string;
      readonly userId: string;
      readonly updatedBefore: number;
      readonly before: number;
      readonly limit: number;
    }): ThreadRow[] {
      return ofOwner.all({ ...input }) as unknown as ThreadRow[];
    },

    deleteThread(id: string): void {
      deleteThread(id);
      // Of its runs, whichever those were.
      tails.forgetAll();
    },
  };
}
