import { AppError } from '../../errors.js';
import type { Owner } from '../../principal.js';
import { admitRun, compareStarts, type FoundThread } from '../../runs/admission.js';
import { applyDecisions } from '../../runs/decisions.js';
import { toCreatedRun } from '../../runs/new-run.js';
import { belongsTo, hasEnded, toTitle, type Run, type Thread } from '../../runs/run.js';
import {
  RunStore,
  type DecideResult,
  type ClaimRun,
  type CreateResult,
  type KeyedRun,
  type NewDecisions,
  type NewRun,
  type Page,
  type PageRequest,
  type RenewResult,
  type RunOwner,
  type RunOwnership,
} from '../../runs/run.store.js';
import { countDeaths, isAbandoned, type LeasedRun } from '../../runs/takeover.js';
import { inTurn, mayBegin, RunningCounts, type Turn } from '../../runs/turns.js';
import { keysAfter, PAGE_OF_RECORDS_BYTES, toPage } from '../page-cursor.js';
import type { MemoryCheckpointer } from './memory.checkpointer.js';
import { toIdempotencyKey, type MemoryRecords, type RunRecord, type ThreadRecord } from './memory-records.js';

/** No method waits for anything before its last change, which makes each an atomic step. */
export class MemoryRunStore extends RunStore {
  constructor(
    private readonly records: MemoryRecords,
    private readonly checkpointer: MemoryCheckpointer,
    private readonly clock: () => number,
  ) {
    super();
  }

  async create(newRun: NewRun): Promise<CreateResult> {
    const { records } = this;
    const { id, principal, idempotency } = newRun;
    const key = idempotency && toIdempotencyKey(principal, idempotency.key);
    const earlier = key === undefined ? undefined : records.idempotencyKeys.get(key);
    if (earlier) {
      const outcome = compareStarts(earlier.idempotency ?? {}, idempotency?.fingerprint);
      return outcome === 'existing' ? { outcome, run: earlier.run } : { outcome };
    }

    const thread = newRun.thread === 'new' ? undefined : records.thread(principal, newRun.threadId);
    const admission = admitRun(newRun, thread && this.findThread(thread));
    if (admission.outcome !== 'admitted') return admission;
    if (records.runs.has(id)) throw new AppError('STORAGE_FAILED', `There is a run ${id} already.`);

    const { threadKey, mustWait, lapsed } = admission;
    const owner =
      !mustWait && newRun.owner && this.mayBegin(principal, newRun.owner) ? newRun.owner : undefined;
    const lapsedRecord = lapsed === undefined ? undefined : records.runs.get(lapsed);
    if (lapsedRecord) lapsedRecord.awaitingUntil = undefined;
    const now = this.clock();
    const record: RunRecord = {
      ordinal: records.nextOrdinal(),
      run: toCreatedRun(newRun, { at: now, threadKey, epoch: owner && 1 }),
      hasOwner: owner !== undefined,
      leaseUntil: owner ? now + owner.leaseMs : 0,
      batches: [],
      compacted: false,
      ...(idempotency && { idempotency }),
    };
    records.runs.set(id, record);
    records.unended.add(record);
    if (key !== undefined) records.idempotencyKeys.set(key, record);
    if (thread) thread.updatedAt = now;
    else records.addThread(newThread(newRun, { ordinal: record.ordinal, key: threadKey, now }));
    return { outcome: 'created', run: record.run };
  }

  async get(runId: string): Promise<Run | undefined> {
    return this.records.runs.get(runId)?.run;
  }

  async findByKey(owner: Owner, key: string): Promise<KeyedRun | undefined> {
    const record = this.records.idempotencyKeys.get(toIdempotencyKey(owner, key));
    return record?.idempotency && { run: record.run, fingerprint: record.idempotency.fingerprint };
  }

  async claim(claim: ClaimRun): Promise<Run | undefined> {
    const { leaseMs, maxRunsPerPrincipal } = claim;
    const now = this.clock();
    const record = this.findAbandoned({ ...claim, now }) ?? this.nextWaiting(maxRunsPerPrincipal);
    if (!record) return undefined;
    const { run } = record;
    const deaths = countDeaths(toLeasedRun(record));
    record.run = {
      ...run,
      status: 'running',
      epoch: run.epoch + 1,
      startedAt: run.startedAt ?? now,
      ...(deaths > 0 && { deaths }),
    };
    record.hasOwner = true;
    record.leaseUntil = now + leaseMs;
    return record.run;
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
      if (!record?.hasOwner) return { runId, outcome: 'fenced', cancelRequested: false };
      record.leaseUntil = leaseUntil;
      return { runId, outcome: 'renewed', cancelRequested: record.run.cancelRequested };
    });
  }

  async release(ownership: RunOwnership): Promise<void> {
    const record = this.records.owned(ownership);
    if (!record) return;
    record.hasOwner = false;
    record.leaseUntil = 0;
  }

  async requestCancel(runId: string): Promise<Run | undefined> {
    const record = this.records.runs.get(runId);
    if (record && !hasEnded(record.run)) record.run = { ...record.run, cancelRequested: true };
    return record?.run;
  }

  async decide({ runId, answers, continuation }: NewDecisions): Promise<DecideResult> {
    const record = this.records.runs.get(runId);
    if (!record) return { outcome: 'closed' };
    const next = this.records.runAfter(record);
    const { inputs } = record.run;
    const effect = applyDecisions({ runId, answers }, { inputs, next: next?.run });
    switch (effect.outcome) {
      case 'closed':
        if (effect.lapsed) record.awaitingUntil = undefined;
        return { outcome: 'closed' };
      case 'continued':
        return { outcome: 'answered', run: record.run, ...(next && { continuedBy: next.run }) };
      case 'noted':
        break;
      default:
        return effect;
    }
    record.run = { ...record.run, inputs: effect.inputs };
    record.awaitingUntil = effect.awaitingUntil;
    if (!effect.isComplete) return { outcome: 'answered', run: record.run };
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

  async getThread(owner: Owner, threadId: string): Promise<Thread | undefined> {
    const record = this.records.thread(owner, threadId);
    return record && this.toThread(record);
  }

  async listThreads(owner: Owner, page: PageRequest): Promise<Page<Thread>> {
    const [updatedAt = Infinity, ordinal = Infinity] = keysAfter(page, 2) ?? [];
    const rows = [...this.records.threads.values()]
      .filter((row) => belongsTo(row.thread.owner, owner))
      .filter((row) => row.updatedAt < updatedAt || (row.updatedAt === updatedAt && row.ordinal < ordinal))
      .sort((one, other) => other.updatedAt - one.updatedAt || other.ordinal - one.ordinal);
    return toPage(rows, page, {
      getKeys: (row) => [row.updatedAt, row.ordinal],
      toItem: (row) => this.toThread(row),
    });
  }

  async listRuns(owner: Owner, threadId: string, page: PageRequest): Promise<Page<Run>> {
    const key = this.records.thread(owner, threadId)?.key;
    const [ordinal = Infinity] = keysAfter(page, 1) ?? [];
    const rows = [...this.records.runs.values()]
      .filter((row) => row.run.threadKey === key && row.ordinal < ordinal)
      .reverse();
    const visible = rows.slice(0, countFitting(rows.slice(0, page.limit)));
    const hasMore = visible.length < rows.length;
    return toPage(visible, page, { getKeys: (row) => [row.ordinal], toItem: (row) => row.run }, hasMore);
  }

  async deleteThread(owner: Owner, threadId: string): Promise<void> {
    const record = this.records.thread(owner, threadId);
    if (!record) return;
    this.records.deleteThread(record);
    // Nothing can be added any more: the fence of every checkpoint names a run that is gone.
    await this.checkpointer.deleteThread(record.key);
  }

  /** The oldest run whose owner has fallen silent. */
  private findAbandoned(claim: ClaimRun & { readonly now: number }): RunRecord | undefined {
    for (const record of this.records.unended)
      if (record.run.status === 'running' && isAbandoned(toLeasedRun(record), claim)) return record;
    return undefined;
  }

  private nextWaiting(maxRunsPerPrincipal: number | undefined): RunRecord | undefined {
    const atWork = new RunningCounts();
    const waiting = new Map<string, Turn & { readonly records: RunRecord[] }>();
    for (const record of this.records.unended) {
      const { userId, tenant } = record.run.principal;
      if (record.run.status === 'running') {
        atWork.add({ userId, tenant });
        continue;
      }
      const key = JSON.stringify([tenant, userId]);
      const turn = waiting.get(key) ?? { userId, tenant, oldest: record.ordinal, records: [] };
      turn.records.push(record);
      waiting.set(key, turn);
    }
    for (const { records } of inTurn([...waiting.values()], atWork, maxRunsPerPrincipal)) {
      const next = records.find((record) => this.isFirst(record));
      if (next) return next;
    }
    return undefined;
  }

  private mayBegin(principal: Owner, { maxRunsPerPrincipal }: RunOwner): boolean {
    const count = (wanted: (record: RunRecord) => boolean) =>
      [...this.records.unended].filter(
        (record) => belongsTo(record.run.principal, principal) && wanted(record),
      ).length;
    return mayBegin(maxRunsPerPrincipal, {
      countAtWork: () => count(({ run }) => run.status === 'running'),
      hasWaiting: () => count((record) => record.run.status === 'pending' && this.isFirst(record)) > 0,
    });
  }

  private isFirst(record: RunRecord): boolean {
    return this.records.oldestUnended(record.run.threadKey) === record;
  }

  private findThread({ key }: ThreadRecord): FoundThread {
    return {
      key,
      unended: this.records.oldestUnended(key)?.run.id,
      latest: this.records.latestRun(key)?.run,
    };
  }

  private toThread({ key, thread, updatedAt }: ThreadRecord): Thread {
    const active = this.records.oldestUnended(key);
    return { ...thread, updatedAt, ...(active && { activeRunId: active.run.id }) };
  }
}

function newThread(
  { threadId, principal, message }: NewRun,
  { ordinal, key, now }: { readonly ordinal: number; readonly key: string; readonly now: number },
): ThreadRecord {
  const owner = { userId: principal.userId, tenant: principal.tenant };
  return {
    ordinal,
    key,
    thread: { id: threadId, owner, title: toTitle(message), createdAt: now },
    updatedAt: now,
  };
}

function toLeasedRun({ run, leaseUntil, hasOwner }: RunRecord): LeasedRun {
  return { id: run.id, leaseUntil, deaths: run.deaths ?? 0, isHeld: hasOwner };
}

/** Returns the number of runs that fit into a page; at least one. */
function countFitting(rows: readonly RunRecord[]): number {
  let bytes = 0;
  const end = rows.findIndex(({ run }, index) => {
    bytes += run.message.length + JSON.stringify([run.metadata, run.given, run.inputs]).length;
    return index > 0 && bytes > PAGE_OF_RECORDS_BYTES;
  });
  return end === -1 ? rows.length : end;
}
