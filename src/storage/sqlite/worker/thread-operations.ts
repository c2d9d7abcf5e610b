import type { DatabaseSync } from 'node:sqlite';
import type { ThreadRow } from '../../run-rows.js';
import type { TailCache } from './tail.cache.js';
import { deletionOn } from './thread-deletion.ts';
import { threadKeysOn, type ThreadName } from './thread-names.ts';

const THREAD = `threads.*, (
  SELECT runs.id FROM runs INDEXED BY runs_unended
  WHERE runs.thread_id = threads.id AND runs.ended_at IS NULL ORDER BY runs.ordinal LIMIT 1
) AS active_run_id`;

export function threadOperations(db: DatabaseSync, tails: TailCache) {
  const threadKeys = threadKeysOn(db);
  const byKey = db.prepare(`SELECT ${THREAD} FROM threads WHERE id = ?`);
  const ofOwner = db.prepare(`
    SELECT ${THREAD} FROM threads
    WHERE tenant = :tenant AND user_id = :userId AND (updated_at, ordinal) < (:updatedBefore, :before)
    ORDER BY updated_at DESC, ordinal DESC LIMIT :limit`);
  const deleteThread = deletionOn(db);

  return {
    getThread(name: ThreadName): ThreadRow | undefined {
      const key = threadKeys(name);
      return key === undefined ? undefined : (byKey.get(key) as ThreadRow | undefined);
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

    deleteThread(name: ThreadName): void {
      const key = threadKeys(name);
      if (key === undefined) return;
      deleteThread(key);
      // Of its runs, whichever those were.
      tails.forgetAll();
    },
  };
}
