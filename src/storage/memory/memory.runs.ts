import { expiryOf, isDecided, withAnswers } from '../../events/approval.js';
import { AppError } from '../../errors.js';
import type { Owner } from '../../principal.js';
import { runAsCreated } from '../../runs/new.run.js';
import { belongsTo, hasEnded, titleOf, type Run, type Thread } from '../../runs/run.js';
import {
  RunStore,
  type AnswerResult,
  type CreateResult,
  type NewAnswers,
  type NewRun,
  type Page,
  type PageRequest,
  type RenewResult,
  type RunOwner,
  type RunOwnership,
} from '../../runs/run.store.js';
import { keysAfter, pageOf } from '../page.cursor.js';
import { idempotencyKeyOf, type MemoryRecords, type RunRecord, type ThreadRecord } from './memory.records.js';

interface Place {
  readonly thread: ThreadRecord | undefined;
  readonly busy: boolean;
}

type Refusal = Extract<CreateResult, { readonly outcome: 'no-thread' | 'busy' | 'awaiting' }>;

const NEW_THREAD: Place = { thread: undefined, busy: false };

/** No method waits for anything before its last change, which makes each an atomic step. */
export class MemoryRunStore extends RunStore {
  constructor(
    private readonly records: MemoryRecords,
    private readonly clock: () => number,
  ) {
    super();
  }

  async create(newRun: NewRun): Promise<CreateResult> {
    const { records } = this;
    const { id, threadId, principal, idempotency } = newRun;
    const key = idempotency && idempotencyKeyOf(principal, idempotency.key);
    const earlier = key === undefined ? undefined : records.idempotencyKeys.get(key);
    if (earlier) {
      const same = earlier.idempotency?.fingerprint === idempotency?.fingerprint;
      return same ? { outcome: 'existing', run: earlier.run } : { outcome: 'key-reused' };
    }

    const place = newRun.thread === 'new' ? NEW_THREAD : this.placeIn(newRun);
    if ('outcome' in place) return place;
    if (records.runs.has(id)) throw new AppError('STORAGE_FAILED', `There is a run ${id} already.`);

    const { thread, busy } = place;
    const owner = busy ? undefined : newRun.owner;
    const now = this.clock();
    const record: RunRecord = {
      ordinal: records.nextOrdinal(),
      run: runAsCreated(newRun, { at: now, epoch: owner && 1 }),
      held: owner !== undefined,
      leaseUntil: owner ? now + owner.leaseMs : 0,
      batches: [],
      compacted: false,
      ...(idempotency && { idempotency }),
    };
    records.runs.set(id, record);
    records.unended.add(record);
    if (key !== undefined) records.idempotencyKeys.set(key, record);
    if (thread) thread.updatedAt = now;
    else records.threads.set(threadId, newThread(newRun, { ordinal: record.ordinal, now }));
    return { outcome: 'created', run: record.run };
  }

  async get(runId: string): Promise<Run | undefined> {
    return this.records.runs.get(runId)?.run;
  }

  async claim({ leaseMs }: RunOwner): Promise<Run | undefined> {
    const now = this.clock();
    for (const record of this.records.unended) {
      const { run } = record;
      const wanted =
        run.status === 'running'
          ? record.leaseUntil <= now
          : this.records.oldestUnended(run.threadId) === record;
      if (!wanted) continue;
      record.run = { ...run, status: 'running', epoch: run.epoch + 1, startedAt: run.startedAt ?? now };
      record.held = true;
      record.leaseUntil = now + leaseMs;
      return record.run;
    }
    return undefined;
  }

  async renew({
    runs,
    leaseMs,
  }: {
    readonly runs: readonly RunOwnership[];
    readonly leaseMs: number;
  }): Promise<readonly RenewResult[]> {
    const leaseUntil = this.clock() + leaseMs;
    return runs.map(({ runId, epoch }) => {
      const record = this.records.owned({ runId, epoch });
      if (!record?.held) return { runId, outcome: 'fenced', cancelRequested: false };
      record.leaseUntil = leaseUntil;
      return { runId, outcome: 'renewed', cancelRequested: record.run.cancelRequested };
    });
  }

  async release(ownership: RunOwnership): Promise<void> {
    const record = this.records.owned(ownership);
    if (!record) return;
    record.held = false;
    record.leaseUntil = 0;
  }

  async requestCancel(runId: string): Promise<Run | undefined> {
    const record = this.records.runs.get(runId);
    if (record && !hasEnded(record.run)) record.run = { ...record.run, cancelRequested: true };
    return record?.run;
  }

  async answer({ runId, answers, continuation }: NewAnswers): Promise<AnswerResult> {
    const record = this.records.runs.get(runId);
    const { approvals } = record?.run ?? {};
    if (!record || !approvals) return { outcome: 'closed' };
    const answered = withAnswers(approvals, answers);
    if (answered.outcome !== 'answered') return answered;

    const { threadId } = record.run;
    const continuedBy = [...this.records.runs.values()].find(({ run }) => run.resumeOf === runId);
    if (continuedBy) return { outcome: 'answered', run: record.run, continuedBy: continuedBy.run };
    if (this.records.latestRun(threadId) !== record) {
      record.awaitingUntil = undefined;
      return { outcome: 'closed' };
    }
    record.run = { ...record.run, approvals: answered.approvals };
    record.awaitingUntil = expiryOf(answered.approvals);
    if (!isDecided(answered.approvals)) return { outcome: 'answered', run: record.run };
    const created = await this.create(continuation);
    if (created.outcome !== 'created')
      throw new AppError('STORAGE_FAILED', `Run ${runId} could not be continued: ${created.outcome}.`);
    return { outcome: 'answered', run: record.run, continuedBy: created.run };
  }

  async listExpired(limit: number): Promise<readonly Run[]> {
    const now = this.clock();
    return [...this.records.runs.values()]
      .filter(({ awaitingUntil }) => awaitingUntil !== undefined && awaitingUntil <= now)
      .sort((one, other) => (one.awaitingUntil ?? 0) - (other.awaitingUntil ?? 0))
      .slice(0, limit)
      .map(({ run }) => run);
  }

  async getThread(threadId: string): Promise<Thread | undefined> {
    const record = this.records.threads.get(threadId);
    return record && this.threadOf(record);
  }

  async listThreads(owner: Owner, page: PageRequest): Promise<Page<Thread>> {
    const [updatedAt = Infinity, ordinal = Infinity] = keysAfter(page, 2) ?? [];
    const rows = [...this.records.threads.values()]
      .filter((row) => belongsTo(row.thread.owner, owner))
      .filter((row) => row.updatedAt < updatedAt || (row.updatedAt === updatedAt && row.ordinal < ordinal))
      .sort((one, other) => other.updatedAt - one.updatedAt || other.ordinal - one.ordinal);
    return pageOf(rows, page, {
      keysOf: (row) => [row.updatedAt, row.ordinal],
      itemOf: (row) => this.threadOf(row),
    });
  }

  async listRuns(threadId: string, page: PageRequest): Promise<Page<Run>> {
    const [ordinal = Infinity] = keysAfter(page, 1) ?? [];
    const rows = [...this.records.runs.values()]
      .filter((row) => row.run.threadId === threadId && row.ordinal < ordinal)
      .reverse();
    return pageOf(rows, page, { keysOf: (row) => [row.ordinal], itemOf: (row) => row.run });
  }

  async deleteThread(threadId: string): Promise<void> {
    this.records.deleteThread(threadId);
  }

  /** What the run finds in its thread, or why it may not be there. */
  private placeIn({ thread: wanted, threadId, principal, whenBusy, whenAwaiting }: NewRun): Place | Refusal {
    const thread = this.records.threads.get(threadId);
    if (thread ? !belongsTo(thread.thread.owner, principal) : wanted === 'existing')
      return { outcome: 'no-thread' };
    const busy = this.records.oldestUnended(threadId);
    if (busy && whenBusy === 'reject') return { outcome: 'busy', runId: busy.run.id };
    const latest = this.records.latestRun(threadId);
    if (latest?.run.status === 'awaiting-approval') {
      if (whenAwaiting === 'reject') return { outcome: 'awaiting', runId: latest.run.id };
      latest.awaitingUntil = undefined;
    }
    return { thread, busy: busy !== undefined };
  }

  private threadOf({ thread, updatedAt }: ThreadRecord): Thread {
    const active = this.records.oldestUnended(thread.id);
    return { ...thread, updatedAt, ...(active && { activeRunId: active.run.id }) };
  }
}

function newThread(
  { threadId, principal, message }: NewRun,
  { ordinal, now }: { readonly ordinal: number; readonly now: number },
): ThreadRecord {
  const owner = { userId: principal.userId, tenant: principal.tenant };
  return {
    ordinal,
    thread: { id: threadId, owner, title: titleOf(message), createdAt: now },
    updatedAt: now,
  };
}
