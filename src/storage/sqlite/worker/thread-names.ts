import type { DatabaseSync } from 'node:sqlite';

/** A thread as its owner names it. */
export interface ThreadName {
  readonly tenant: string;
  readonly userId: string;
  readonly threadId: string;
}

/** Selects a thread's key by its name. A name that is the key and one that is not are found by an index each. */
export const KEY = `
  SELECT id FROM threads WHERE id = :threadId AND name IS NULL AND tenant = :tenant AND user_id = :userId
  UNION ALL
  SELECT id FROM threads WHERE tenant = :tenant AND user_id = :userId AND name = :threadId
  LIMIT 1`;

/** Finds the key of an owner's thread. Undefined when the owner has none of that name, even if other owners have. */
export function threadKeysOn(db: DatabaseSync): (name: ThreadName) => string | undefined {
  const key = db.prepare(KEY);
  return ({ tenant, userId, threadId }) =>
    key.get({ tenant, userId, threadId })?.['id'] as string | undefined;
}
