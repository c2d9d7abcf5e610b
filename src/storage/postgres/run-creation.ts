import {
  admitRun,
  compareStarts,
  countsDelayed,
  recognizeAttempt,
  takesPlace,
  withPlace,
  type AdmittedRun,
  type FoundThread,
} from '../../runs/admission.js';
import { listFileIds, toCreatedRun } from '../../runs/new-run.js';
import type { Owner } from '../../principal.js';
import { createTitle } from '../../runs/run.js';
import type { CreateResult, NewRun } from '../../runs/run.store.js';
import { toParentColumn } from '../parent-column.js';
import { toNewRunColumns, type RunRow } from '../run-rows.js';
import { readTurnPlace, turnPlaceQuery, type TurnRow } from '../turn-place.js';
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
export function isOneStatement(run: NewRun): boolean {
  const { thread, idempotency } = run;
  return thread === 'new' && !idempotency && !countsDelayed(run) && listFileIds(run).length === 0;
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
  if (countsDelayed(run) && (await countDelayed(tx, s, principal)) >= run.maxDelayed)
    return { outcome: 'too-many-delayed' };
  const missing = await takeFiles(tx, s, run, admission);
  if (missing !== undefined) return { outcome: 'no-file', fileId: missing };
  if (admission.lapsed !== undefined)
    await tx.query(`UPDATE ${s}.runs SET awaiting_until = NULL WHERE id = $1`, [admission.lapsed]);
  return insertRun(tx, s, { ...creation, admission });
}

/** Counts the runs of an owner whose time has not come. From here on no other start of the owner does, until this one is stored. */
async function countDelayed(tx: Statements, s: string, { tenant, userId }: Owner): Promise<number> {
  await lock(tx, JSON.stringify([s, 'delayed', tenant, userId]));
  const [delayed] = await tx.query<{ readonly runs: number }>(
    `SELECT count(*)::int AS runs FROM ${s}.runs
     WHERE status = 'delayed' AND tenant = $1 AND user_id = $2 AND not_before > ${s}.now_ms()`,
    [tenant, userId],
  );
  return delayed?.runs ?? 0;
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

async function findThread(tx: Statements, s: string, run: NewRun): Promise<FoundThread | undefined> {
  const { threadId, principal } = run;
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
  const [turn] =
    unended !== null && takesPlace(run)
      ? await tx.query<TurnRow>(turnPlaceQuery(`${s}.runs`, '$1'), [unended])
      : [];
  return {
    key,
    unended: unended ?? undefined,
    ...(turn && { turn: readTurnPlace(turn) }),
    ...(id !== null && status !== null && { latest: { id, status } }),
  };
}

/** Makes uploads blobs of the thread. If one is neither an upload nor a blob of the thread, changes nothing and returns its id. */
async function takeFiles(
  tx: Statements,
  s: string,
  run: NewRun,
  { threadKey }: AdmittedRun,
): Promise<string | undefined> {
  const ids = listFileIds(run);
  if (ids.length === 0) return undefined;
  const { tenant, userId } = run.principal;
  // In the order of their ids, so that two starts with the same files wait for each other and not in a circle.
  const found = await tx.query<{ id: string }>(
    `SELECT id FROM ${s}.blobs WHERE tenant = $1 AND user_id = $2 AND id = ANY($3) AND thread_id IN ('', $4)
     ORDER BY id FOR UPDATE`,
    [tenant, userId, ids, threadKey],
  );
  const known = new Set(found.map(({ id }) => id));
  const missing = ids.find((id) => !known.has(id));
  if (missing === undefined)
    await tx.query(
      // Only uploads: a copy of the thread has files of the same ids.
      `UPDATE ${s}.blobs SET thread_id = $4, expires_at = NULL
       WHERE tenant = $1 AND user_id = $2 AND id = ANY($3) AND thread_id = ''`,
      [tenant, userId, ids, threadKey],
    );
  return missing;
}

async function insertRun(
  tx: Statements,
  s: string,
  creation: RunCreation & { readonly admission: AdmittedRun },
): Promise<CreateResult> {
  const { isRetry, admission } = creation;
  const run = withPlace(creation.run, admission);
  const { threadKey, parentId, isFork } = admission;
  const owner = admission.mustWait || run.delayMs ? undefined : run.owner;
  const columns = toNewRunColumns(run);
  const [inserted] = await tx.query<Pick<RunRow, 'created_at' | 'epoch'>>(
    `WITH turn AS MATERIALIZED (
       SELECT $15::text IS NOT NULL AND ${s}.may_begin($4, $5, $18::int) AS has_come
     ), thread AS (
       INSERT INTO ${s}.threads (id, name, tenant, user_id, title, created_at, updated_at, read_at, has_branches)
       VALUES ($2, $17, $4, $5, $16, ${s}.now_ms(), ${s}.now_ms(), ${s}.now_ms(), $22)
       ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at, read_at = excluded.read_at, archived = false,
         has_branches = threads.has_branches OR excluded.has_branches,
         title = CASE WHEN threads.title = '""' THEN excluded.title ELSE threads.title END
         WHERE threads.tenant = excluded.tenant AND threads.user_id = excluded.user_id
       RETURNING updated_at AS now
     )
     INSERT INTO ${s}.runs (
       id, thread_id, thread_name, agent, tenant, user_id, roles, message, metadata, message_id, resume_of, idempotency_key,
       fingerprint, status, epoch, owner_id, lease_until, lease_ms, first_seq, last_seq, cancel_requested, created_at, started_at, given,
       traceparent, parent_id, not_before)
     SELECT $1, $2, $17, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
       CASE WHEN has_come THEN 'running' WHEN $23::bigint IS NOT NULL THEN 'delayed' ELSE 'pending' END, CASE WHEN has_come THEN $13::bigint ELSE 0 END,
       CASE WHEN has_come THEN $15 END, CASE WHEN has_come THEN now + $14::int ELSE 0 END, $14::int, 1, 0, false, now,
       CASE WHEN has_come THEN now END, $19, $20, $21, now + $23::bigint
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
      JSON.stringify(createTitle(run)),
      run.threadId === threadKey ? null : run.threadId,
      owner?.maxRunsPerPrincipal ?? null,
      columns.given,
      columns.traceparent,
      toParentColumn(admission),
      isFork,
      run.delayMs ?? null,
    ],
  );
  if (inserted) {
    const epoch = inserted.epoch === 0 ? undefined : inserted.epoch;
    return {
      outcome: 'created',
      run: toCreatedRun(run, { at: inserted.created_at, threadKey, parentId, epoch }),
    };
  }
  // Where nothing is locked, the attempt before this one can still have been under way a moment ago. The insert has waited for it.
  const attempted = await findAttempt(tx, s, creation);
  if (!attempted) throw new Error(`Run ${run.id} was removed while it was created.`);
  return attempted;
}
