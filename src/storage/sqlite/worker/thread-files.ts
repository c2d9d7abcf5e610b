import type { DatabaseSync } from 'node:sqlite';

interface TakenFiles {
  readonly tenant: string;
  readonly userId: string;
  readonly threadKey: string;
  readonly ids: readonly string[];
}

/** The files that runs bring to their threads. The caller gives each function its transaction. */
export function threadFilesOn(db: DatabaseSync) {
  const named = 'tenant = :tenant AND user_id = :userId AND id = :id';
  const find = db.prepare(`SELECT 1 FROM blobs WHERE ${named} AND thread_id IN ('', :threadKey)`);
  // Only uploads: a copy of the thread has files of the same ids.
  const take = db.prepare(
    `UPDATE blobs SET thread_id = :threadKey, expires_at = NULL WHERE ${named} AND thread_id = ''`,
  );
  return {
    /** Makes uploads blobs of the thread. If one is neither an upload nor a blob of the thread, changes nothing and returns its id. */
    take({ ids, ...of }: TakenFiles): string | undefined {
      const missing = ids.find((id) => !find.get({ ...of, id }));
      if (missing === undefined) for (const id of ids) take.run({ ...of, id });
      return missing;
    },
  };
}
