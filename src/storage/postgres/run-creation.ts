import {
  admitRun,
  compareStarts,
  recognizeAttempt,
  type AdmittedRun,
  type FoundThread,
} from '../../runs/admission.js';
import { toCreatedRun } from '../../runs/new-run.js';
import { toTitle } from '../../runs/run.js';
import type { CreateResult, NewRun } from '../../runs/run.store.js';
import { toNewRunColumns, type RunRow } from '../run-rows.js';
import type { Statements } from './postgres.database.js';
import { parseRun } from './postgres-rows.js';
import { lock, lockThread, threadKeyQuery } from './thread-names.js';

export interface RunCreation {
  readonly run: NewRun;
  /** Epoch of its owner, if it has one from the start. The same each time this is tried: by it a try is known for ours. */
  readonly epoch: number;
  /** True if this was tried before with an unknown end: then the run that has this id is the one it made. */
  readonly isRetry: boolean;
}

/** True if {@link createRun} needs only one statement: it has nothing to look up, and so nothing to lock. */
export function isOneStatement({ thread, idempotency }: NewRun): boolean {
  return thread === 'new' && !idempotency;
}

/**
 * Stores a run, if it may be. Starts with the same key, and starts in the same thread, go one after the other: each sees what
 * the one before it has done.
 */
export async function createRun(tx: Statements, s: string, creation: RunCreation): Promise<CreateResult> {
  const { run, isRetry } = creation;
  const { principal, idempotency } = run;
  const { tenant, userId } = principal;
  if (idempotency) await lock(tx, JSON.stringify([s, 'key', tenant, userId, idempotency.key]));
  if (run.thread !== 'new') await lockThread(tx, s, { owner: principal, id: run.threadId });

  const attempted = isRetry ? await findAttempt(tx, s, creation) : undefined;
  if (attempted) return attempted;
  const [earlier] = idempotency
    ? await tx.query<RunRow>(
        `SELECT * FROM ${s}.runs WHERE tenant = $1 AND user_id = $2 AND idempotency_key = $3`,
        [tenant, userId, idempotency.key],
      )
    : [];
  if (earlier) {
    const outcome = compareStarts(earlier, idempotency?.fingerprint);
    return outcome === 'existing' ? { outcome, run: parseRun(earlier) } : { outcome };
  }
  const admission = admitRun(run, run.thread === 'new' ? undefined : await findThread(tx, s, run));
  if (admission.outcome !== 'admitted') return admission;
  if (admission.lapsed !== undefined)
    await tx.query(`UPDATE ${s}.runs SET awaiting_until = NULL WHERE id = $1`, [admission.lapsed]);
  return insertRun(tx, s, { ...creation, admission });
}

/** Returns the run, if the attempt before this one has made it after all. */
async function findAttempt(
  tx: Statements,
  s: string,
  { run, epoch }: RunCreation,
): Promise<CreateResult | undefined> {
  const [row] = await tx.query<RunRow>(`SELECT * FROM ${s}.runs WHERE id = $1`, [run.id]);
  if (!row) return undefined;
  const outcome = recognizeAttempt(row, epoch) === 'taken' ? 'existing' : 'created';
  return { outcome, run: parseRun(row) };
}

async function findThread(
  tx: Statements,
  s: string,
  { threadId, principal }: NewRun,
): Promise<FoundThread | undefined> {
  const [thread] = await tx.query<{
    readonly key: string;
    readonly unended: string | null;
    readonly latest_id: string | null;
    readonly latest_status: string | null;
  }>(
    `SELECT thread.id AS key, latest.id AS latest_id, latest.status AS latest_status, (
       SELECT id FROM ${s}.runs WHERE thread_id = thread.id AND ended_at IS NULL ORDER BY ordinal LIMIT 1) AS unended
     FROM (${threadKeyQuery(s)}) AS thread LEFT JOIN LATERAL (
       SELECT id, status FROM ${s}.runs WHERE thread_id = thread.id ORDER BY ordinal DESC LIMIT 1) AS latest ON true`,
    [principal.tenant, principal.userId, threadId],
  );
  if (!thread) return undefined;
  const { key, unended, latest_id: id, latest_status: status } = thread;
  return {
    key,
    unended: unended ?? undefined,
    ...(id !== null && status !== null && { latest: { id, status } }),
  };
}

async function insertRun(
  tx: Statements,
  s: string,
  creation: RunCreation & { readonly admission: AdmittedRun },
): Promise<CreateResult> {
  const { run, isRetry, admission } = creation;
  const { threadKey } = admission;
  const owner = admission.mustWait ? undefined : run.owner;
  const columns = toNewRunColumns(run);
  const [inserted] = await tx.query<Pick<RunRow, 'created_at' | 'epoch'>>(
    `WITH turn AS MATERIALIZED (
       SELECT $15::text IS NOT NULL AND ${s}.may_begin($4, $5, $18::int) AS has_come
     ), thread AS (
       INSERT INTO ${s}.threads (id, name, tenant, user_id, title, created_at, updated_at)
       VALUES ($2, $17, $4, $5, $16, ${s}.now_ms(), ${s}.now_ms())
       ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at
         WHERE threads.tenant = excluded.tenant AND threads.user_id = excluded.user_id
       RETURNING updated_at AS now
     )
     INSERT INTO ${s}.runs (
       id, thread_id, thread_name, agent, tenant, user_id, roles, message, metadata, message_id, resume_of, idempotency_key,
       fingerprint, status, epoch, owner_id, lease_until, lease_ms, first_seq, last_seq, cancel_requested, created_at, started_at, given)
     SELECT $1, $2, $17, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
       CASE WHEN has_come THEN 'running' ELSE 'pending' END, CASE WHEN has_come THEN $13::bigint ELSE 0 END,
       CASE WHEN has_come THEN $15 END, CASE WHEN has_come THEN now + $14::int ELSE 0 END, $14::int, 1, 0, false, now,
       CASE WHEN has_come THEN now END, $19
     FROM thread, turn ${isRetry ? 'ON CONFLICT (id) DO NOTHING' : ''} RETURNING created_at, epoch`,
    [
      columns.id,
      threadKey,
      columns.agent,
      columns.tenant,
      columns.userId,
      columns.roles,
      JSON.stringify(columns.message),
      columns.metadata,
      columns.messageId,
      columns.resumeOf,
      columns.idempotencyKey,
      columns.fingerprint,
      creation.epoch,
      owner?.leaseMs ?? 0,
      owner?.ownerId ?? null,
      JSON.stringify(toTitle(run.message)),
      run.threadId === threadKey ? null : run.threadId,
      owner?.maxRunsPerPrincipal ?? null,
      columns.given,
    ],
  );
  if (inserted) {
    const epoch = inserted.epoch === 0 ? undefined : inserted.epoch;
    return { outcome: 'created', run: toCreatedRun(run, { at: inserted.created_at, threadKey, epoch }) };
  }
  // Where nothing is locked, the attempt before this one can still have been under way a moment ago. The insert has waited for it.
  const attempted = await findAttempt(tx, s, creation);
  if (!attempted) throw new Error(`Run ${run.id} was removed while it was created.`);
  return attempted;
}
