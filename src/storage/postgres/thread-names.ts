import type { Owner } from '../../principal.js';
import type { Statements } from './postgres.database.js';

/**
 * A query for the key of a thread: $1 is the tenant and $2 the user it belongs to, $3 what they call it. No row when they have none of
 * that name, even if other owners have. Where a name is the key, and where it is not, it is found by an index of its own.
 */
export function threadKeyQuery(s: string): string {
  return `
    SELECT id FROM ${s}.threads WHERE id = $3 AND name IS NULL AND tenant = $1 AND user_id = $2
    UNION ALL SELECT id FROM ${s}.threads WHERE tenant = $1 AND user_id = $2 AND name = $3
    LIMIT 1`;
}

/** Until the end of the transaction no other starts a run in this thread, answers in it, or deletes it. */
export function lockThread(
  tx: Statements,
  s: string,
  thread: { readonly owner: Owner; readonly id: string },
): Promise<unknown> {
  return lock(tx, lockName(s, thread));
}

/** The same, where that can be had at once; false where somebody else has it. */
export async function tryLockThread(
  tx: Statements,
  s: string,
  thread: { readonly owner: Owner; readonly id: string },
): Promise<boolean> {
  const [row] = await tx.query<{ locked: boolean }>(
    'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS locked',
    [lockName(s, thread)],
  );
  return row?.locked ?? false;
}

export function lock(tx: Statements, name: string): Promise<unknown> {
  return tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
}

function lockName(s: string, { owner, id }: { readonly owner: Owner; readonly id: string }): string {
  return JSON.stringify([s, 'thread', owner.tenant, owner.userId, id]);
}
