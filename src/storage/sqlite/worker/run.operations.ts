import type { DatabaseSync } from 'node:sqlite';
import type { NewRun, RunOwnership } from '../../../runs/run.store.js';
import type { LogTails } from './log.tails.js';

/** A run as its columns are; `lastSeq` comes from its log. */
export interface RunRow {
  readonly ordinal: number;
  readonly id: string;
  readonly thread_id: string;
  readonly agent: string;
  readonly tenant: string;
  readonly user_id: string;
  readonly roles: string;
  readonly message: string;
  readonly metadata: string;
  readonly message_id: string;
  readonly resume_of: string | null;
  readonly fingerprint: string | null;
  readonly status: string;
  readonly epoch: number;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly cancel_requested: number;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly error: string | null;
  readonly usage: string | null;
  readonly approvals: string | null;
}

export interface NewRunRow {
  readonly id: string;
  readonly threadId: string;
  readonly agent: string;
  readonly tenant: string;
  readonly userId: string;
  readonly roles: string;
  readonly message: string;
  readonly metadata: string;
  readonly messageId: string;
  readonly resumeOf: string | null;
  readonly idempotencyKey: string | null;
  readonly fingerprint: string | null;
  readonly now: number;
}

export interface CreateRun {
  readonly run: NewRunRow;
  readonly title: string;
  readonly thread: NewRun['thread'];
  readonly whenBusy: NewRun['whenBusy'];
  readonly whenAwaiting: NewRun['whenAwaiting'];
  /** Who has it from the start, when nothing is before it in its thread. */
  readonly owner?: { readonly ownerId: string; readonly leaseUntil: number; readonly epoch: number };
}

/** A created run is not sent back: whoever asked for it knows the rest. */
export type Created =
  | { readonly outcome: 'created'; readonly owned: boolean }
  | { readonly outcome: 'existing'; readonly run: RunRow }
  | { readonly outcome: 'key-reused' }
  | Refusal;

type Refusal =
  { readonly outcome: 'no-thread' } | { readonly outcome: 'busy' | 'awaiting'; readonly runId: string };

/** What a run finds in its thread. */
interface Place {
  readonly newThread: boolean;
  readonly busy: boolean;
}

const UNOWNED = { status: 'pending', epoch: 0, ownerId: null, leaseUntil: 0, startedAt: null };

const NEW_THREAD: Place = { newThread: true, busy: false };

interface LatestRun {
  readonly id: string;
  readonly ordinal: number;
  readonly status: string;
}

export type Renewed = 'renewed' | 'cancel-requested' | 'fenced';

const LAST_SEQ = `(SELECT coalesce(max(last_seq), 0) FROM batches WHERE batches.run = runs.ordinal) AS last_seq`;

/** The columns of a {@link RunRow}. */
export const RUN = `runs.*, ${LAST_SEQ}`;

/** The runs. Each function is one step; the caller gives it its transaction. */
export function runOperations(db: DatabaseSync, tails: LogTails) {
  const byId = db.prepare(`SELECT ${RUN} FROM runs WHERE id = ?`);
  const byKey = db.prepare(
    `SELECT ${RUN} FROM runs WHERE tenant = ? AND user_id = ? AND idempotency_key = ?`,
  );
  const threadById = db.prepare('SELECT tenant, user_id FROM threads WHERE id = ?');
  const touchThread = db.prepare('UPDATE threads SET updated_at = :now WHERE id = :threadId');
  const oldestUnended = db.prepare(
    'SELECT id FROM runs INDEXED BY runs_unended WHERE thread_id = ? AND ended_at IS NULL ORDER BY ordinal LIMIT 1',
  );
  const latest = db.prepare(
    'SELECT id, ordinal, status FROM runs WHERE thread_id = ? ORDER BY ordinal DESC LIMIT 1',
  );
  const waitNoMore = db.prepare('UPDATE runs SET awaiting_until = NULL WHERE ordinal = ?');
  const insertThread = db.prepare(`
    INSERT INTO threads (id, tenant, user_id, title, created_at, updated_at)
    VALUES (:threadId, :tenant, :userId, :title, :now, :now)`);
  const insertRun = db.prepare(`
    INSERT INTO runs (
      id, thread_id, agent, tenant, user_id, roles, message, metadata, message_id, resume_of, idempotency_key, fingerprint,
      status, epoch, owner_id, lease_until, first_seq, cancel_requested, created_at, started_at)
    VALUES (
      :id, :threadId, :agent, :tenant, :userId, :roles, :message, :metadata, :messageId, :resumeOf, :idempotencyKey,
      :fingerprint, :status, :epoch, :ownerId, :leaseUntil, 1, 0, :now, :startedAt)`);
  // Only unended runs are looked at, however many have ended, and by age: most often no more of them than are under way.
  const claim = db.prepare(`
    UPDATE runs SET status = 'running', epoch = epoch + :epochStep, owner_id = :ownerId, lease_until = :now + :leaseMs,
      started_at = coalesce(started_at, :now)
    WHERE ordinal = (
      SELECT ordinal FROM runs AS candidate INDEXED BY runs_unended_by_age
      WHERE ended_at IS NULL AND CASE status
        WHEN 'running' THEN lease_until <= :now
        ELSE NOT EXISTS (
          SELECT 1 FROM runs AS earlier INDEXED BY runs_unended
          WHERE earlier.thread_id = candidate.thread_id AND earlier.ended_at IS NULL
            AND earlier.ordinal < candidate.ordinal)
        END
      ORDER BY ordinal LIMIT 1)
    RETURNING *, ${LAST_SEQ}`);
  const renew = db.prepare(`
    UPDATE runs SET lease_until = :now + :leaseMs
    WHERE id = :runId AND epoch = :epoch AND owner_id IS NOT NULL AND ended_at IS NULL
    RETURNING cancel_requested`);
  const release = db.prepare(`
    UPDATE runs SET owner_id = NULL, lease_until = 0 WHERE id = :runId AND epoch = :epoch AND ended_at IS NULL`);
  const requestCancel = db.prepare('UPDATE runs SET cancel_requested = 1 WHERE id = ? AND ended_at IS NULL');
  const ofThread = db.prepare(
    `SELECT ${RUN} FROM runs WHERE thread_id = :threadId AND ordinal < :before ORDER BY ordinal DESC LIMIT :limit`,
  );

  const get = (id: string) => byId.get(id) as RunRow | undefined;

  /** What the run finds in its thread, or why it may not be there. */
  const placeOf = ({ run, thread, whenBusy, whenAwaiting }: CreateRun): Place | Refusal => {
    const { threadId, tenant, userId } = run;
    const owner = threadById.get(threadId);
    const mayUse = owner ? owner['tenant'] === tenant && owner['user_id'] === userId : thread !== 'existing';
    if (!mayUse) return { outcome: 'no-thread' };
    const busy = oldestUnended.get(threadId) as { id: string } | undefined;
    if (busy && whenBusy === 'reject') return { outcome: 'busy', runId: busy.id };
    const last = latest.get(threadId) as LatestRun | undefined;
    if (last?.status === 'awaiting-approval') {
      if (whenAwaiting === 'reject') return { outcome: 'awaiting', runId: last.id };
      waitNoMore.run(last.ordinal);
    }
    return { newThread: !owner, busy: busy !== undefined };
  };

  return {
    createRun(creation: CreateRun): Created {
      const { run, title } = creation;
      const { threadId, tenant, userId, idempotencyKey, now } = run;
      const earlier =
        idempotencyKey !== null && (byKey.get(tenant, userId, idempotencyKey) as RunRow | undefined);
      if (earlier) {
        return earlier.fingerprint === run.fingerprint
          ? { outcome: 'existing', run: earlier }
          : { outcome: 'key-reused' };
      }

      const place = creation.thread === 'new' ? NEW_THREAD : placeOf(creation);
      if ('outcome' in place) return place;
      const { newThread, busy } = place;
      if (newThread) insertThread.run({ threadId, tenant, userId, title, now });
      else touchThread.run({ threadId, now });
      const owner = busy ? undefined : creation.owner;
      insertRun.run({ ...run, ...(owner ? { ...owner, status: 'running', startedAt: now } : UNOWNED) });
      return { outcome: 'created', owned: owner !== undefined };
    },

    getRun: get,

    claimRun(input: {
      readonly ownerId: string;
      readonly leaseMs: number;
      readonly epochStep: number;
      readonly now: number;
    }): RunRow | undefined {
      const run = claim.get({ ...input }) as RunRow | undefined;
      if (run) tails.forget(run.id);
      return run;
    },

    renewRuns(input: {
      readonly runs: readonly RunOwnership[];
      readonly leaseMs: number;
      readonly now: number;
    }): Renewed[] {
      const { runs, leaseMs, now } = input;
      return runs.map(({ runId, epoch }) => {
        const renewed = renew.get({ runId, epoch, leaseMs, now });
        if (!renewed) return 'fenced';
        return renewed['cancel_requested'] === 1 ? 'cancel-requested' : 'renewed';
      });
    },

    releaseRun({ runId, epoch }: RunOwnership): void {
      release.run({ runId, epoch });
    },

    requestCancel(id: string): RunRow | undefined {
      requestCancel.run(id);
      return get(id);
    },

    /** At most `limit`, newest first, of those created before the one with that ordinal. */
    listRuns(input: {
      readonly threadId: string;
      readonly before: number;
      readonly limit: number;
    }): RunRow[] {
      return ofThread.all({ ...input }) as unknown as RunRow[];
    },
  };
}

export type RunOperations = ReturnType<typeof runOperations>;
