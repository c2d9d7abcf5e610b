import { runAsCreated } from '../../runs/new.run.js';
import { titleOf } from '../../runs/run.js';
import type { CreateResult, NewRun } from '../../runs/run.store.js';
import type { Statements } from './postgres.database.js';
import { runOf, type RunRow } from './postgres.rows.js';

export interface RunCreation {
  readonly run: NewRun;
  /** What its owner gets, if it has one from the start. The same each time this is tried: by it a try is known for ours. */
  readonly epoch: number;
  /** This was tried before and nobody knows how that ended: then the run that has this id is the one it made. */
  readonly again: boolean;
}

type Refusal = Extract<CreateResult, { readonly outcome: 'no-thread' | 'busy' | 'awaiting' }>;

/** What a run finds in its thread. */
interface Place {
  readonly busy: boolean;
}

const NEW_THREAD: Place = { busy: false };

/** Whether all that {@link createRun} does is one statement: it has nothing to look up, and so nothing to lock. */
export function isOneStatement({ thread, idempotency }: NewRun): boolean {
  return thread === 'new' && !idempotency;
}

/**
 * Stores a run, if it may be. Starts with the same key, and starts in the same thread, go one after the other: each sees what
 * the one before it has done.
 */
export async function createRun(tx: Statements, s: string, creation: RunCreation): Promise<CreateResult> {
  const { run, again } = creation;
  const { threadId, principal, idempotency } = run;
  const { tenant, userId } = principal;
  if (idempotency) await lock(tx, JSON.stringify([s, 'key', tenant, userId, idempotency.key]));
  if (run.thread !== 'new') await lockThread(tx, s, threadId);

  const before = again ? await madeBefore(tx, s, creation) : undefined;
  if (before) return before;
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
  const place = run.thread === 'new' ? NEW_THREAD : await placeOf(tx, s, run);
  return 'outcome' in place ? place : insertRun(tx, s, { ...creation, place });
}

/** The run, if the attempt before this one has made it after all. */
async function madeBefore(
  tx: Statements,
  s: string,
  { run, epoch }: RunCreation,
): Promise<CreateResult | undefined> {
  const [row] = await tx.query<RunRow>(`SELECT * FROM ${s}.runs WHERE id = $1`, [run.id]);
  if (!row) return undefined;
  // It took so long to find it that the run went to somebody else. Whoever asked must not think that it is theirs.
  const lost = run.owner && row.status === 'running' && row.epoch !== epoch;
  if (lost) return { outcome: 'existing', run: runOf(row) };
  return { outcome: 'created', run: runOf(row) };
}

/** What the run finds in its thread, or why it may not be there. */
async function placeOf(tx: Statements, s: string, run: NewRun): Promise<Place | Refusal> {
  const { threadId, principal } = run;
  const [thread] = await tx.query<{ mine: boolean; busy_with: string | null }>(
    `SELECT tenant = $2 AND user_id = $3 AS mine, (
       SELECT id FROM ${s}.runs WHERE thread_id = $1 AND ended_at IS NULL ORDER BY ordinal LIMIT 1) AS busy_with
     FROM ${s}.threads WHERE id = $1`,
    [threadId, principal.tenant, principal.userId],
  );
  if (thread ? !thread.mine : run.thread === 'existing') return { outcome: 'no-thread' };
  if (thread?.busy_with && run.whenBusy === 'reject') return { outcome: 'busy', runId: thread.busy_with };
  const [last] = await tx.query<Pick<RunRow, 'id' | 'ordinal' | 'status'>>(
    `SELECT id, ordinal, status FROM ${s}.runs WHERE thread_id = $1 ORDER BY ordinal DESC LIMIT 1`,
    [threadId],
  );
  if (last?.status === 'awaiting-approval') {
    if (run.whenAwaiting === 'reject') return { outcome: 'awaiting', runId: last.id };
    await tx.query(`UPDATE ${s}.runs SET awaiting_until = NULL WHERE ordinal = $1`, [last.ordinal]);
  }
  return { busy: Boolean(thread?.busy_with) };
}

async function insertRun(
  tx: Statements,
  s: string,
  creation: RunCreation & { readonly place: Place },
): Promise<CreateResult> {
  const { run, again, place } = creation;
  const { principal, idempotency } = run;
  const owner = place.busy ? undefined : run.owner;
  const epoch = owner && creation.epoch;
  const [inserted] = await tx.query<Pick<RunRow, 'created_at'>>(
    `WITH thread AS (
       INSERT INTO ${s}.threads (id, tenant, user_id, title, created_at, updated_at)
       VALUES ($2, $4, $5, $17, ${s}.now_ms(), ${s}.now_ms())
       ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at
       RETURNING updated_at AS now
     )
     INSERT INTO ${s}.runs (
       id, thread_id, agent, tenant, user_id, roles, message, metadata, message_id, resume_of, idempotency_key, fingerprint,
       status, epoch, owner_id, lease_until, lease_ms, first_seq, last_seq, cancel_requested, created_at, started_at)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
       $13, $14::bigint, $15, CASE WHEN $15::text IS NULL THEN 0 ELSE now + $16::int END, $16::int, 1, 0, false, now,
       CASE WHEN $15::text IS NOT NULL THEN now END
     FROM thread ${again ? 'ON CONFLICT (id) DO NOTHING' : ''} RETURNING created_at`,
    [
      run.id,
      run.threadId,
      run.agent,
      principal.tenant,
      principal.userId,
      JSON.stringify(principal.roles),
      JSON.stringify(run.message),
      JSON.stringify(run.metadata),
      run.messageId,
      run.resumeOf ?? null,
      idempotency?.key ?? null,
      idempotency?.fingerprint ?? null,
      owner ? 'running' : 'pending',
      epoch ?? 0,
      owner?.ownerId ?? null,
      owner?.leaseMs ?? 0,
      JSON.stringify(titleOf(run.message)),
    ],
  );
  if (inserted) {
    return { outcome: 'created', run: runAsCreated(run, { at: inserted.created_at, epoch }) };
  }
  // Where nothing is locked, the attempt before this one can still have been under way a moment ago. The insert has waited for it.
  const before = await madeBefore(tx, s, creation);
  if (!before) throw new Error(`Run ${run.id} was removed while it was created.`);
  return before;
}

/** Until the end of the transaction nobody else starts a run in this thread, or deletes it. */
export function lockThread(tx: Statements, s: string, threadId: string): Promise<unknown> {
  return lock(tx, JSON.stringify([s, 'thread', threadId]));
}

function lock(tx: Statements, name: string): Promise<unknown> {
  return tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
}
