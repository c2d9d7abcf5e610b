import { AppError } from '../../errors.js';
import type { Usage } from '../../events/run-event.js';
import type { Owner } from '../../principal.js';
import { admitRun, compareStarts, countsDelayed, withPlace } from '../../runs/admission.js';
import type { BranchNode } from '../../runs/branches.js';
import { applyDecisions } from '../../runs/decisions.js';
import type { FeedbackRequest, GivenFeedback } from '../../runs/feedback.js';
import { listFileIds, toCreatedRun } from '../../runs/new-run.js';
import {
  createTitle,
  hasEnded,
  type ListedRun,
  type Run,
  type Thread,
  type ThreadChange,
} from '../../runs/run.js';
import type { RunFilter } from '../../runs/run-filter.js';
import { hasWaiting, type MessagesChange, type MessagesResult } from '../../runs/run-messages.js';
import {
  RunStore,
  type DecideResult,
  type ClaimRun,
  type CreateResult,
  type KeyedRun,
  type NewDecisions,
  type NewRun,
  type NewThread,
  type Page,
  type PageRequest,
  type RenewResult,
  type RunOwnership,
  type ThreadListRequest,
  type UnendedRuns,
} from '../../runs/run.store.js';
import type { RunDeletion, RunDeletionResult } from '../../runs/run-deletion.js';
import type { OutsideUsage, Spending, SpendingQuery } from '../../runs/spending.js';
import type { ThreadCopy, ThreadCopyResult } from '../../runs/thread-copy.js';
import type { ThreadMatch, ThreadSearch } from '../../runs/thread-search.js';
import { keysAfter, toPage } from '../page-cursor.js';
import { listFeedback, setFeedback } from './memory-feedback.js';
import { claimRun, countDelayed, mayBeginAtOnce } from './memory-claims.js';
import { changeMessages } from './memory-run-messages.js';
import { deleteRun } from './memory-run-deletion.js';
import { copyThread } from './memory-thread-copy.js';
import { countFitting, countUnended, findRuns, listNodes } from './memory-run-lists.js';
import { searchThreads } from './memory-search.js';
import { sumSpending, sumUsage } from './memory-spending.js';
import type { MemoryCheckpointer } from './memory.checkpointer.js';
import {
  changeThread,
  createThread,
  listThreads,
  newThread,
  toFoundThread,
  toThread,
  touch,
} from './memory-threads.js';
import { toIdempotencyKey, type MemoryRecords, type RunRecord } from './memory-records.js';

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
    const admission = admitRun(newRun, thread && toFoundThread(records, thread));
    if (admission.outcome !== 'admitted') return admission;
    if (records.runs.has(id)) throw new AppError('STORAGE_FAILED', `There is a run ${id} already.`);

    if (countsDelayed(newRun) && countDelayed(records, principal, this.clock()) >= newRun.maxDelayed)
      return { outcome: 'too-many-delayed' };

    const { threadKey, mustWait, parentId, isFork, lapsed } = admission;
    const missing = records.takeFiles(principal, listFileIds(newRun), threadKey);
    if (missing !== undefined) return { outcome: 'no-file', fileId: missing };
    const owner =
      !mustWait &&
      !newRun.delayMs &&
      newRun.owner &&
      mayBeginAtOnce(records, principal, newRun.owner, this.clock())
        ? newRun.owner
        : undefined;
    const lapsedRecord = lapsed === undefined ? undefined : records.runs.get(lapsed);
    if (lapsedRecord) lapsedRecord.awaitingUntil = undefined;
    const now = this.clock();
    const record: RunRecord = {
      ordinal: records.nextOrdinal(),
      run: toCreatedRun(withPlace(newRun, admission), { at: now, threadKey, parentId, epoch: owner && 1 }),
      hasOwner: owner !== undefined,
      leaseUntil: owner ? now + owner.leaseMs : 0,
      batches: [],
      compacted: false,
      ...(newRun.delayMs && { notBefore: now + newRun.delayMs }),
      ...(idempotency && { idempotency }),
    };
    records.runs.set(id, record);
    records.unended.add(record);
    if (key !== undefined) records.idempotencyKeys.set(key, record);
    if (thread) touch(thread, { title: createTitle(newRun), now, isFork });
    else records.addThread(newThread(newRun, { ordinal: record.ordinal, key: threadKey, now }));
    return { outcome: 'created', run: record.run };
  }

  async get(runId: string): Promise<Run | undefined> {
    const record = this.records.runs.get(runId);
    return record && this.records.withContinuation(record);
  }

  async findByKey(owner: Owner, key: string): Promise<KeyedRun | undefined> {
    const record = this.records.idempotencyKeys.get(toIdempotencyKey(owner, key));
    return record?.idempotency && { run: record.run, fingerprint: record.idempotency.fingerprint };
  }

  async claim(claim: ClaimRun): Promise<Run | undefined> {
    return claimRun(this.records, claim, this.clock());
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
      const { cancelRequested, messages } = record.run;
      const waits = hasWaiting(messages) && ({ messageWaits: true } as const);
      return { runId, outcome: 'renewed', cancelRequested, ...waits };
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
    if (record && !hasEnded(record.run)) {
      record.run = { ...record.run, cancelRequested: true };
      record.notBefore = undefined;
    }
    return record?.run;
  }

  async changeMessages(change: MessagesChange): Promise<MessagesResult> {
    return changeMessages(this.records, change);
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
    return record && toThread(this.records, record);
  }

  async listThreads(owner: Owner, page: ThreadListRequest): Promise<Page<Thread>> {
    return listThreads(this.records, owner, page);
  }

  async searchThreads(owner: Owner, search: ThreadSearch): Promise<Page<ThreadMatch>> {
    return searchThreads(this.records, owner, search);
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

  async listNodes(owner: Owner, threadId: string, limit: number): Promise<readonly BranchNode[]> {
    return listNodes(this.records, this.records.thread(owner, threadId), limit);
  }

  async findRuns(filter: RunFilter, page: PageRequest): Promise<Page<ListedRun>> {
    return findRuns(this.records, filter, page);
  }

  async setFeedback(runId: string, given: GivenFeedback | undefined): Promise<Run | undefined> {
    return setFeedback(this.records, runId, given && { ...given, at: this.clock() });
  }

  async listFeedback(page: FeedbackRequest): Promise<Page<ListedRun>> {
    return listFeedback(this.records, page);
  }

  async countUnended(): Promise<UnendedRuns> {
    return countUnended(this.records, this.clock());
  }

  async listSpending(query: SpendingQuery): Promise<readonly Spending[]> {
    return sumSpending([...this.records.spending.values()], query);
  }

  async chargeUsage(outside: OutsideUsage): Promise<void> {
    this.records.charge(outside, this.clock(), 0);
  }

  async sumUsage(owner: Owner, threadId: string): Promise<Usage | undefined> {
    return sumUsage(this.records, owner, threadId);
  }

  async deleteThread(owner: Owner, threadId: string): Promise<void> {
    const record = this.records.thread(owner, threadId);
    if (!record) return;
    this.records.deleteThread(record);
    // Nothing can be added any more: the fence of every checkpoint names a run that is gone.
    await this.checkpointer.deleteThread(record.key);
  }

  async deleteRun(deletion: RunDeletion): Promise<RunDeletionResult> {
    return deleteRun(this.records, this.checkpointer, deletion);
  }

  async copyThread(copy: ThreadCopy): Promise<ThreadCopyResult> {
    return copyThread(this.records, this.checkpointer, copy, this.clock());
  }

  async createThread(thread: NewThread): ReturnType<RunStore['createThread']> {
    return createThread(this.records, thread, this.clock());
  }

  async changeThread(owner: Owner, threadId: string, change: ThreadChange): Promise<Thread | undefined> {
    return changeThread(this.records, this.records.thread(owner, threadId), change, this.clock());
  }
}
