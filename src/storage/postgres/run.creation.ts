import { titleOf } from '../../runs/run.js';
import type { CreateResult, NewRun } from '../../runs/run.store.js';
import type { Statements } from './postgres.database.js';
import { runOf, type RunRow } from './postgres.rows.js';

/**
 * Stores a pending run, if it may be. Starts with the same key, and starts in the same thread, go one after the other: each
 * sees what the one before it has done.
 *
 * @param again this was tried before and nobody knows how that ended: then the run that has this id is the one it made
 */
export async function createRun(
  tx: Statements,
  s: string,
  { run, again }: { readonly run: NewRun; readonly again: boolean },
): Promise<CreateResult> {
  const { id, threadId, principal, idempotency } = run;
  const { tenant, userId } = principal;
  if (idempotency) await lock(tx, JSON.stringify([s, 'key', tenant, userId, idempotency.key]));
  await lockThread(tx, s, threadId);

  if (again) {
    const made = await tx.query<RunRow>(`SELECT * FROM ${s}.runs WHERE id = $1`, [id]);
    if (made[0]) return { outcome: 'created', run: runOf(made[0]) };
  }
  const [earlier] = idempotency
    ? await tx.query<RunRow>(
        `SELECT * FROM ${s}.runs WHERE tenant = $1 AND user_id = $2 AND idempotency_key = $3`,
        [tenant, userId, idempotency.key],
      )
    : [];
  if (earlier) {
    const same = earlier.fingerprint === idempotency?.fingerprint;
    return same ? { outcome: 'existing', run: runOf(earlier) } : { outcome: 'key-reused' };
  }

  const [thread] = await tx.query<{ mine: boolean; busy_with: string | null }>(
    `SELECT tenant = $2 AND user_id = $3 AS mine, (
       SELECT id FROM ${s}.runs WHERE thread_id = $1 AND ended_at IS NULL ORDER BY ordinal LIMIT 1) AS busy_with
     FROM ${s}.threads WHERE id = $1`,
    [threadId, tenant, userId],
  );
  if (thread ? !thread.mine : run.threadMustExist) return { outcome: 'no-thread' };
  if (thread?.busy_with && run.whenBusy === 'reject') return { outcome: 'busy', runId: thread.busy_with };
  const [last] = await tx.query<Pick<RunRow, 'id' | 'ordinal' | 'status'>>(
    `SELECT id, ordinal, status FROM ${s}.runs WHERE thread_id = $1 ORDER BY ordinal DESC LIMIT 1`,
    [threadId],
  );
  if (last?.status === 'awaiting-approval') {
    if (run.whenAwaiting === 'reject') return { outcome: 'awaiting', runId: last.id };
    await tx.query(`UPDATE ${s}.runs SET awaiting_until = NULL WHERE ordinal = $1`, [last.ordinal]);
  }

  await tx.query(
    `INSERT INTO ${s}.threads (id, tenant, user_id, title, created_at, updated_at)
     VALUES ($1, $2, $3, $4, ${s}.now_ms(), ${s}.now_ms())
     ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at`,
    [threadId, tenant, userId, JSON.stringify(titleOf(run.message))],
  );
  const [created] = await tx.query<RunRow>(
    `INSERT INTO ${s}.runs (
       id, thread_id, agent, tenant, user_id, roles, message, metadata, message_id, resume_of, idempotency_key, fingerprint,
       status, epoch, lease_until, lease_ms, first_seq, last_seq, cancel_requested, created_at)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'pending', 0, 0, 0, 1, 0, false, threads.updated_at
     FROM ${s}.threads WHERE threads.id = $2
     RETURNING *`,
    [
      id,
      threadId,
      run.agent,
      tenant,
      userId,
      JSON.stringify(principal.roles),
      JSON.stringify(run.message),
      JSON.stringify(run.metadata),
      run.messageId,
      run.resumeOf ?? null,
      idempotency?.key ?? null,
      idempotency?.fingerprint ?? null,
    ],
  );
  return { outcome: 'created', run: runOf(created as RunRow) };
}

/** Until the end of the transaction nobody else starts a run in this thread, or deletes it. */
export function lockThread(tx: Statements, s: string, threadId: string): Promise<unknown> {
  return lock(tx, JSON.stringify([s, 'thread', threadId]));
}

function lock(tx: Statements, name: string): Promise<unknown> {
  return tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
}
