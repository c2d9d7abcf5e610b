import type { DatabaseSync } from 'node:sqlite';
import {
  admitRun,
  compareStarts,
  countsDelayed,
  recognizeAttempt,
  takesPlace,
  type Admission,
  type AdmittedRun,
  type FoundThread,
} from '../../../runs/admission.ts';
import type { NewRun, RunOwnership } from '../../../runs/run.store.js';
import { toParentColumn } from '../../parent-column.ts';
import type { NewRunColumns, NodeRow, RunRow } from '../../run-rows.js';
import { continuedBy } from '../../run-scan.ts';
import { placeGivenColumn, readTurnPlace, turnPlaceQuery, type TurnRow } from '../../turn-place.ts';
import type { TailCache } from './tail.cache.js';
import { threadFilesOn } from './thread-files.ts';
import { threadKeysOn, type ThreadName } from './thread-names.ts';
import { waitingRunsOn } from './waiting-runs.ts';

export interface NewRunRow extends NewRunColumns {
  readonly threadId: string;
  readonly now: number;
}

export interface CreateRun {
  readonly run: NewRunRow;
  readonly title: string;
  readonly thread: NewRun['thread'];
  readonly whenBusy: NewRun['whenBusy'];
  readonly whenAwaiting: NewRun['whenAwaiting'];
  readonly parentId?: string | null;
  /** Ids of the files that it brings to its thread. */
  readonly fileIds: readonly string[];
  readonly delayMs?: number;
  readonly maxDelayed?: number;
  /** Owner of the run from its start, if it is the first in its thread. */
  readonly owner?: {
    readonly ownerId: string;
    readonly leaseUntil: number;
    readonly epoch: number;
    readonly maxRunsPerPrincipal?: number;
  };
  /** True if this was tried before with an unknown end. */
  readonly isRetry?: boolean;
}

/** A created run is not sent back: the caller knows the rest. */
export type Created =
  | ({ readonly outcome: 'created'; readonly owned: boolean } & Pick<
      AdmittedRun,
      'threadKey' | 'parentId' | 'fromCheckpoint'
    >)
  | { readonly outcome: 'existing'; readonly run: RunRow }
  | { readonly outcome: 'key-reused' | 'too-many-delayed' }
  | { readonly outcome: 'no-file'; readonly fileId: string }
  | Exclude<Admission, { readonly outcome: 'admitted' }>;

export interface RunPage {
  readonly rows: readonly RunRow[];
  readonly hasMore: boolean;
}

const UNOWNED = { status: 'pending', epoch: 0, ownerId: null, leaseUntil: 0, startedAt: null };

/** Undefined for a run that has another owner. */
export type Renewed = { readonly cancelRequested: boolean; readonly messageWaits: boolean } | undefined;

export const LAST_SEQ = `(SELECT coalesce(max(last_seq), 0) FROM batches WHERE batches.run = runs.ordinal) AS last_seq`;

/** The columns of a {@link RunRow}. */
export const RUN = `runs.*, ${LAST_SEQ}`;

/** The runs. Each function is one step; the caller gives it its transaction. */
export function runOperations(db: DatabaseSync, tails: TailCache) {
  const byId = db.prepare(`SELECT ${RUN}, ${continuedBy('runs')} FROM runs WHERE id = ?`);
  const byKey = db.prepare(
    `SELECT ${RUN} FROM runs WHERE tenant = ? AND user_id = ? AND idempotency_key = ?`,
  );
  const threadKeys = threadKeysOn(db);
  const touchThread = db.prepare(
    `UPDATE threads SET updated_at = :now, read_at = :now, archived = 0, has_branches = has_branches OR :isFork,
       title = coalesce(nullif(title, ''), :title)
     WHERE id = :threadKey`,
  );
  const oldestUnended = db.prepare(
    'SELECT id FROM runs INDEXED BY runs_unended WHERE thread_id = ? AND ended_at IS NULL ORDER BY ordinal LIMIT 1',
  );
  const latest = db.prepare('SELECT id, status FROM runs WHERE thread_id = ? ORDER BY ordinal DESC LIMIT 1');
  const turnPlace = db.prepare(turnPlaceQuery('runs', '?'));
  const lapse = db.prepare('UPDATE runs SET awaiting_until = NULL WHERE id = ?');
  const insertThread = db.prepare(`
    INSERT INTO threads (id, name, tenant, user_id, title, created_at, updated_at, read_at)
    VALUES (:threadKey, :threadName, :tenant, :userId, :title, :now, :now, :now)`);
  const insertRun = db.prepare(`
    INSERT INTO runs (
      id, thread_id, thread_name, agent, tenant, user_id, roles, message, metadata, message_id, resume_of, idempotency_key,
      fingerprint, status, epoch, owner_id, lease_until, first_seq, cancel_requested, created_at, started_at, given,
      traceparent, parent_id, not_before)
    VALUES (
      :id, :threadKey, :threadName, :agent, :tenant, :userId, :roles, :message, :metadata, :messageId, :resumeOf, :idempotencyKey,
      :fingerprint, :status, :epoch, :ownerId, :leaseUntil, 1, 0, :now, :startedAt, :given,
      :traceparent, :parentId, :notBefore)`);
  const files = threadFilesOn(db);
  const waitingRuns = waitingRunsOn(db);
  const delayed = db.prepare(`
    SELECT count(*) AS runs FROM runs INDEXED BY runs_delayed_of_owner
    WHERE status = 'delayed' AND tenant = :tenant AND user_id = :userId AND not_before > :now`);
  const promote = db.prepare(
    `UPDATE runs SET status = 'pending' WHERE ordinal IN (
      SELECT ordinal FROM runs WHERE status = 'delayed' AND not_before <= ? ORDER BY not_before LIMIT 100)`,
  );
  const claim = db.prepare(`
    UPDATE runs SET status = 'running', epoch = epoch + :epochStep, owner_id = :ownerId, lease_until = :now + :leaseMs,
      started_at = coalesce(started_at, :now), deaths = :deaths
    WHERE ordinal = :ordinal RETURNING *, ${LAST_SEQ}`);
  const renew = db.prepare(`
    UPDATE runs SET lease_until = :now + :leaseMs
    WHERE id = :runId AND epoch = :epoch AND owner_id IS NOT NULL AND ended_at IS NULL
    RETURNING cancel_requested, message_waits`);
  const release = db.prepare(`
    UPDATE runs SET owner_id = NULL, lease_until = 0 WHERE id = :runId AND epoch = :epoch AND ended_at IS NULL`);
  const requestCancel = db.prepare(`
    UPDATE runs SET cancel_requested = 1, status = CASE status WHEN 'delayed' THEN 'pending' ELSE status END
    WHERE id = ? AND ended_at IS NULL`);
  const ofThread = db.prepare(
    `SELECT ${RUN} FROM runs WHERE thread_id = :threadKey AND ordinal < :before ORDER BY ordinal DESC LIMIT :limit`,
  );

  const nodes = db.prepare(
    'SELECT id, parent_id, copy_of FROM runs WHERE thread_id = :threadKey ORDER BY ordinal DESC LIMIT :limit',
  );

  const get = (id: string) => byId.get(id) as RunRow | undefined;

  const findThread = ({ run, ...start }: CreateRun): FoundThread | undefined => {
    const key = threadKeys(run);
    if (key === undefined) return undefined;
    const unended = oldestUnended.get(key) as { readonly id: string } | undefined;
    const turn = unended && takesPlace(start) ? (turnPlace.get(unended.id) as unknown as TurnRow) : undefined;
    return {
      key,
      unended: unended?.id,
      latest: latest.get(key) as FoundThread['latest'],
      ...(turn && { turn: readTurnPlace(turn) }),
    };
  };

  /** Counts the runs of an owner whose time has not come. */
  const countDelayed = (of: { readonly tenant: string; readonly userId: string; readonly now: number }) =>
    Number(delayed.get(of)?.['runs']);

  /** Returns what the first attempt has made; by now it may have another owner. */
  const findAttempt = ({ run, owner }: CreateRun): Created | undefined => {
    const stored = get(run.id);
    if (!stored) return undefined;
    const found = recognizeAttempt(stored, owner?.epoch);
    if (found === 'taken') return { outcome: 'existing', run: stored };
    const owned = found === 'owned';
    return { outcome: 'created', threadKey: stored.thread_id, ...readTurnPlace(stored), owned };
  };

  /** The owner who begins the run at once, if it may. */
  const toOwnership = ({ run, owner }: CreateRun) => {
    if (!owner) return undefined;
    const { maxRunsPerPrincipal, ...columns } = owner;
    const { tenant, userId } = run;
    return waitingRuns.mayBegin({ tenant, userId, maxRunsPerPrincipal }) ? columns : undefined;
  };

  return {
    createRun(creation: CreateRun): Created {
      const { run, title, thread: wanted, whenBusy, whenAwaiting, parentId: asked } = creation;
      const attempted = creation.isRetry && findAttempt(creation);
      if (attempted) return attempted;
      const { threadId, ...columns } = run;
      const { tenant, userId, idempotencyKey, now } = run;
      const earlier =
        idempotencyKey !== null && (byKey.get(tenant, userId, idempotencyKey) as RunRow | undefined);
      if (earlier) {
        const outcome = compareStarts(earlier, run.fingerprint);
        return outcome === 'existing' ? { outcome, run: earlier } : { outcome };
      }

      const found = wanted === 'new' ? undefined : findThread(creation);
      const start = { id: run.id, threadId, thread: wanted, whenBusy, whenAwaiting };
      const place = asked === undefined ? {} : { parentId: asked };
      const admission = admitRun({ ...start, ...place }, found);
      if (admission.outcome !== 'admitted') return admission;
      if (countsDelayed(creation) && countDelayed({ tenant, userId, now }) >= creation.maxDelayed)
        return { outcome: 'too-many-delayed' };
      const { threadKey, isNewThread, mustWait, parentId, fromCheckpoint, isFork, lapsed } = admission;
      const missing = files.take({ tenant, userId, threadKey, ids: creation.fileIds });
      if (missing !== undefined) return { outcome: 'no-file', fileId: missing };
      if (lapsed !== undefined) lapse.run(lapsed);
      const thread = { threadKey, threadName: threadId === threadKey ? null : threadId };
      if (isNewThread) insertThread.run({ ...thread, tenant, userId, title, now });
      else touchThread.run({ threadKey, now, title, isFork: Number(isFork) });
      const { delayMs = 0 } = creation;
      const owner = mustWait || delayMs > 0 ? undefined : toOwnership(creation);
      const ownership = owner ? { ...owner, status: 'running', startedAt: now } : UNOWNED;
      const delay = delayMs > 0 ? { status: 'delayed', notBefore: now + delayMs } : { notBefore: null };
      const stored = { parentId: toParentColumn(admission), given: placeGivenColumn(run, admission) };
      insertRun.run({ ...columns, ...thread, ...ownership, ...delay, ...stored });
      return { outcome: 'created', owned: owner !== undefined, threadKey, parentId, fromCheckpoint };
    },

    getRun: get,

    findByKey(input: {
      readonly tenant: string;
      readonly userId: string;
      readonly key: string;
    }): RunRow | undefined {
      return byKey.get(input.tenant, input.userId, input.key) as RunRow | undefined;
    },

    claimRun(input: {
      readonly ownerId: string;
      readonly leaseMs: number;
      readonly epochStep: number;
      readonly now: number;
      readonly maxRunsPerPrincipal?: number;
      readonly inHand?: readonly string[];
      readonly exceptDeaths?: number;
    }): RunRow | undefined {
      promote.run(input.now);
      const next = waitingRuns.next(input);
      if (!next) return undefined;
      const { ownerId, leaseMs, epochStep, now } = input;
      const run = claim.get({ ...next, ownerId, leaseMs, epochStep, now }) as RunRow | undefined;
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
        if (!renewed) return undefined;
        const { cancel_requested, message_waits } = renewed;
        return { cancelRequested: cancel_requested === 1, messageWaits: message_waits === 1 };
      });
    },

    releaseRun({ runId, epoch }: RunOwnership): void {
      release.run({ runId, epoch });
    },

    requestCancel(id: string): RunRow | undefined {
      requestCancel.run(id);
      return get(id);
    },

    /** At most `limit`, and of at most `maxBytes` but one, newest first, of those created before the one with that ordinal. */
    listRuns({
      maxBytes,
      limit,
      thread,
      before,
    }: {
      readonly thread: ThreadName;
      readonly before: number;
      readonly limit: number;
      readonly maxBytes: number;
    }): RunPage {
      const rows: RunRow[] = [];
      const threadKey = threadKeys(thread);
      if (threadKey === undefined) return { rows, hasMore: false };
      let bytes = 0;
      for (const found of ofThread.iterate({ threadKey, before, limit: limit + 1 })) {
        const row = found as unknown as RunRow;
        const { message, metadata, given, approvals, messages } = row;
        for (const text of [message, metadata, given, approvals, messages]) bytes += text?.length ?? 0;
        if (rows.length === limit || (rows.length > 0 && bytes > maxBytes)) return { rows, hasMore: true };
        rows.push(row);
      }
      return { rows, hasMore: false };
    },

    /** At most `limit`, newest first. */
    listNodes({ thread, limit }: { readonly thread: ThreadName; readonly limit: number }): NodeRow[] {
      const threadKey = threadKeys(thread);
      return threadKey === undefined ? [] : (nodes.all({ threadKey, limit }) as unknown as NodeRow[]);
    },
  };
}

export type RunOperations = ReturnType<typeof runOperations>;
