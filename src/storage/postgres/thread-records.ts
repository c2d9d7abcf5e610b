import type { Owner } from '../../principal.js';
import { findNewTitle, type Thread, type ThreadChange } from '../../runs/run.js';
import type { NewThread } from '../../runs/run.store.js';
import type { ThreadRow } from '../run-rows.js';
import { mergeMetadata } from '../thread-metadata.js';
import type { Statements } from './postgres.database.js';
import { parseThread } from './postgres-rows.js';
import { lockThread, threadKeyQuery } from './thread-names.js';
import { indexTitle } from './word-index.js';

/** Selects threads, with their latest run as `latest`, each with its run that has not ended, and the status of its last one. */
export function threadQuery(s: string): string {
  return `
    SELECT threads.*, (
      SELECT id FROM ${s}.runs WHERE thread_id = threads.id AND ended_at IS NULL ORDER BY ordinal LIMIT 1
    ) AS active_run_id, latest.status AS latest_status
    FROM ${s}.threads LEFT JOIN LATERAL (
      SELECT status FROM ${s}.runs WHERE thread_id = threads.id ORDER BY ordinal DESC LIMIT 1
    ) AS latest ON true`;
}

/** Returns the owner's thread of that id. */
export async function findThread(
  statements: Statements,
  s: string,
  owner: Owner,
  threadId: string,
): Promise<Thread | undefined> {
  const row = await findRow(statements, s, owner, threadId);
  return row && parseThread(row);
}

async function findRow(
  statements: Statements,
  s: string,
  { tenant, userId }: Owner,
  threadId: string,
): Promise<ThreadRow | undefined> {
  const [row] = await statements.query<ThreadRow>(
    `${threadQuery(s)} WHERE threads.id = (${threadKeyQuery(s)})`,
    [tenant, userId, threadId],
  );
  return row;
}

/** Stores a thread without runs, unless its owner has one of that id. */
export async function createThread(
  tx: Statements,
  s: string,
  { id, owner, key, metadata, ttlMs }: NewThread,
): Promise<{ readonly outcome: 'created' | 'existing'; readonly thread: Thread }> {
  await lockThread(tx, s, { owner, id });
  if (!(await findRow(tx, s, owner, id))) {
    await tx.query(
      `INSERT INTO ${s}.threads (id, name, tenant, user_id, title, metadata, created_at, updated_at, read_at, ttl_ms, ttl_at)
       VALUES ($1, $2, $3, $4, $5, $6, ${s}.now_ms(), ${s}.now_ms(), ${s}.now_ms(), $7, ${s}.now_ms())`,
      [
        key,
        id === key ? null : id,
        owner.tenant,
        owner.userId,
        JSON.stringify(''),
        mergeMetadata(null, metadata),
        ttlMs ?? null,
      ],
    );
  }
  const row = (await findRow(tx, s, owner, id)) as ThreadRow;
  return { outcome: row.id === key ? 'created' : 'existing', thread: parseThread(row) };
}

/** Changes facts of the owner's thread. */
export async function changeThread(
  tx: Statements,
  s: string,
  { owner, id, change }: { readonly owner: Owner; readonly id: string; readonly change: ThreadChange },
): Promise<Thread | undefined> {
  const name = [owner.tenant, owner.userId, id];
  const [before] = await tx.query<Pick<ThreadRow, 'id' | 'ordinal' | 'title' | 'metadata'>>(
    `SELECT id, ordinal, title, metadata FROM ${s}.threads WHERE id = (${threadKeyQuery(s)}) FOR UPDATE`,
    name,
  );
  if (!before) return undefined;
  const { pinned, archived, metadata, read, ttlMs } = change;
  const title = findNewTitle(change, JSON.parse(before.title) as string);
  await tx.query(
    `UPDATE ${s}.threads SET title = coalesce($2, title), pinned = coalesce($3, pinned),
       archived = coalesce($4, archived), metadata = $5,
       read_at = CASE WHEN $6::boolean THEN updated_at ELSE read_at END,
       ttl_ms = CASE WHEN $7::boolean THEN $8::bigint ELSE ttl_ms END,
       ttl_at = CASE WHEN $7::boolean THEN ${s}.now_ms() ELSE ttl_at END
     WHERE id = $1`,
    [
      before.id,
      title === undefined ? null : JSON.stringify(title),
      pinned ?? null,
      archived ?? null,
      mergeMetadata(before.metadata, metadata),
      read ?? false,
      ttlMs !== undefined,
      ttlMs ?? null,
    ],
  );
  if (title !== undefined) await indexTitle(tx, s, { owner, ordinal: before.ordinal, title });
  return findThread(tx, s, owner, id);
}
