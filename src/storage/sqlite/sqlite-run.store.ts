import type { Usage } from '../../events/run-event.js';
import type { Owner } from '../../principal.js';
import type { BranchNode } from '../../runs/branches.js';
import type { FeedbackRequest, GivenFeedback } from '../../runs/feedback.js';
import { withPlace } from '../../runs/admission.js';
import { toCreatedRun } from '../../runs/new-run.js';
import type { ListedRun, Run, Thread, ThreadChange } from '../../runs/run.js';
import type { RunFilter } from '../../runs/run-filter.js';
import type { MessagesChange, MessagesResult } from '../../runs/run-messages.js';
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
import { findPlaces, type ThreadMatch, type ThreadSearch } from '../../runs/thread-search.js';
import { epochStep } from '../epoch.js';
import { findFeedbackScope } from '../feedback-page.js';
import { keysAfter, PAGE_OF_RECORDS_BYTES, toPage } from '../page-cursor.js';
import { toListedRun, toNode, toRenewResult, toRun, toThread } from '../run-rows.js';
import { findStart, toScannedPage } from '../run-scan.js';
import { toSpending, toUsage } from '../spending-rows.js';
import { mergeMetadata } from '../thread-metadata.js';
import type { SqliteClient } from './sqlite.client.js';
import type { ListThreads } from './worker/thread-operations.js';
import { toCreateRun } from './run-creation.js';

/** Sorts after every time and every ordinal. */
const LAST = Number.MAX_SAFE_INTEGER;

export class SqliteRunStore extends RunStore {
  constructor(
    private readonly client: SqliteClient,
    private readonly clock: () => number,
  ) {
    super();
  }

  async create(newRun: NewRun): Promise<CreateResult> {
    const creation = toCreateRun(newRun, this.clock());
    const result = await this.client.call('createRun', creation);
    if (result.outcome === 'existing') return { outcome: 'existing', run: toRun(result.run) };
    if (result.outcome !== 'created') return result;
    const epoch = result.owned ? creation.owner?.epoch : undefined;
    const { threadKey, parentId } = result;
    const run = toCreatedRun(withPlace(newRun, result), { at: creation.run.now, threadKey, parentId, epoch });
    return { outcome: 'created', run };
  }

  async get(runId: string): Promise<Run | undefined> {
    const row = await this.client.call('getRun', runId);
    return row && toRun(row);
  }

  async findByKey({ tenant, userId }: Owner, key: string): Promise<KeyedRun | undefined> {
    const row = await this.client.call('findByKey', { tenant, userId, key });
    return row && { run: toRun(row), fingerprint: row.fingerprint ?? '' };
  }

  async claim(claim: ClaimRun): Promise<Run | undefined> {
    const { ownerId, leaseMs, maxRunsPerPrincipal, inHand, exceptDeaths } = claim;
    const row = await this.client.call('claimRun', {
      ownerId,
      leaseMs,
      epochStep: epochStep(),
      now: this.clock(),
      ...(inHand && { inHand: [...inHand] }),
      ...(maxRunsPerPrincipal !== undefined && { maxRunsPerPrincipal }),
      ...(exceptDeaths !== undefined && { exceptDeaths }),
    });
    return row && toRun(row);
  }

  async renew({
    runs,
    leaseMs,
  }: {
    readonly runs: readonly RunOwnership[];
    readonly leaseMs: number;
  }): Promise<readonly RenewResult[]> {
    // Plain copies here and below: callers may pass objects that are more than that and cannot be sent to a thread.
    const owned = runs.map(({ runId, epoch }) => ({ runId, epoch }));
    const renewed = await this.client.call('renewRuns', { runs: owned, leaseMs, now: this.clock() });
    return owned.map(({ runId }, index) => toRenewResult(runId, renewed[index]));
  }

  async release({ runId, epoch }: RunOwnership): Promise<void> {
    await this.client.call('releaseRun', { runId, epoch });
  }

  async requestCancel(runId: string): Promise<Run | undefined> {
    const row = await this.client.call('requestCancel', runId);
    return row && toRun(row);
  }

  changeMessages(change: MessagesChange): Promise<MessagesResult> {
    return this.client.call('changeMessages', change);
  }

  async decide({ runId, answers, continuation }: NewDecisions): Promise<DecideResult> {
    const outcome = await this.client.call('answerRun', {
      runId,
      answers,
      continuation: toCreateRun(continuation, this.clock()),
    });
    if (outcome.outcome !== 'answered') return outcome;
    const { run, continuedBy } = outcome;
    return { outcome: 'answered', run: toRun(run), ...(continuedBy && { continuedBy: toRun(continuedBy) }) };
  }

  async listExpired(limit: number): Promise<readonly Run[]> {
    return (await this.client.call('listExpired', { now: this.clock(), limit })).map((row) => toRun(row));
  }

  async getThread({ tenant, userId }: Owner, threadId: string): Promise<Thread | undefined> {
    const row = await this.client.call('getThread', { tenant, userId, threadId });
    return row && toThread(row);
  }

  async listThreads(owner: Owner, page: ThreadListRequest): Promise<Page<Thread>> {
    const rows = await this.client.call('listThreads', toListThreads(owner, page));
    return toPage(rows, page, {
      getKeys: (row) => [row.updated_at, row.ordinal],
      toItem: (row) => toThread(row),
    });
  }

  async searchThreads({ tenant, userId }: Owner, search: ThreadSearch): Promise<Page<ThreadMatch>> {
    const { terms, ...page } = search;
    const wanted = terms.map(({ word, isPrefix }) => ({ word, isPrefix }));
    const query = { ...toListThreads({ tenant, userId }, page), terms: wanted };
    const found = toPage(await this.client.call('searchThreads', query), page, {
      getKeys: ({ row }) => [row.updated_at, row.ordinal],
      toItem: ({ row, texts }) => ({ thread: toThread(row), texts }),
    });
    return findPlaces(found, terms);
  }

  async createThread({
    id: threadId,
    owner,
    key,
    metadata,
    ttlMs,
  }: NewThread): ReturnType<RunStore['createThread']> {
    const name = { tenant: owner.tenant, userId: owner.userId, threadId };
    const notes = mergeMetadata(null, metadata);
    const thread = { name, key, metadata: notes, ttlMs: ttlMs ?? null, now: this.clock() };
    const row = await this.client.call('createThread', thread);
    return { outcome: row.id === key ? 'created' : 'existing', thread: toThread(row) };
  }

  async changeThread(
    { tenant, userId }: Owner,
    threadId: string,
    { title, titleBefore, pinned, archived, metadata, ttlMs, read }: ThreadChange,
  ): Promise<Thread | undefined> {
    const change = {
      ...(title !== undefined && { title }),
      ...(titleBefore !== undefined && { titleBefore }),
      ...(pinned !== undefined && { pinned }),
      ...(archived !== undefined && { archived }),
      ...(metadata && { metadata: { ...metadata } }),
      ...(ttlMs !== undefined && { ttlMs }),
      ...(read && { read }),
    };
    const name = { tenant, userId, threadId };
    const row = await this.client.call('changeThread', { name, change, now: this.clock() });
    return row && toThread(row);
  }

  async listRuns({ tenant, userId }: Owner, threadId: string, page: PageRequest): Promise<Page<Run>> {
    const [before = LAST] = keysAfter(page, 1) ?? [];
    const { limit } = page;
    const scope = { thread: { tenant, userId, threadId }, before, limit, maxBytes: PAGE_OF_RECORDS_BYTES };
    const { rows, hasMore } = await this.client.call('listRuns', scope);
    return toPage(rows, page, { getKeys: (row) => [row.ordinal], toItem: (row) => toRun(row) }, hasMore);
  }

  async listNodes(
    { tenant, userId }: Owner,
    threadId: string,
    limit: number,
  ): Promise<readonly BranchNode[]> {
    const thread = { tenant, userId, threadId };
    return (await this.client.call('listNodes', { thread, limit })).map(toNode);
  }

  async findRuns(filter: RunFilter, page: PageRequest): Promise<Page<ListedRun>> {
    const { status, ...rest } = filter;
    const scan = await this.client.call('findRuns', {
      filter: { ...rest, ...(status && { status: [...status] }) },
      limit: page.limit,
      start: findStart(filter, page),
    });
    return toScannedPage(scan, page, (row) => toListedRun(row));
  }

  async setFeedback(runId: string, given: GivenFeedback | undefined): Promise<Run | undefined> {
    const feedback = given === undefined ? null : JSON.stringify(given);
    const row = await this.client.call('setFeedback', { runId, feedback, now: this.clock() });
    return row && toRun(row);
  }

  async listFeedback(page: FeedbackRequest): Promise<Page<ListedRun>> {
    const { tenant, limit } = page;
    const place = { ...findFeedbackScope(page), limit: limit + 1 };
    const rows = await this.client.call('listFeedback', {
      ...place,
      ...(tenant !== undefined && { tenant }),
    });
    return toPage(rows, page, {
      getKeys: (row) => [row.feedback_at, row.ordinal],
      toItem: (row) => toListedRun(row),
    });
  }

  countUnended(): Promise<UnendedRuns> {
    return this.client.call('countUnended', undefined);
  }

  async listSpending(query: SpendingQuery): Promise<readonly Spending[]> {
    return (await this.client.call('listSpending', { ...query, by: [...query.by] })).map(toSpending);
  }

  async chargeUsage({ owner: { tenant, userId }, agent, usage }: OutsideUsage): Promise<void> {
    const row = { tenant, userId, agent, usage: JSON.stringify(usage) };
    await this.client.call('chargeUsage', { ...row, now: this.clock() });
  }

  async sumUsage({ tenant, userId }: Owner, threadId: string): Promise<Usage | undefined> {
    const sums = await this.client.call('sumUsage', { tenant, userId, threadId });
    return sums && toUsage(sums);
  }

  async deleteThread({ tenant, userId }: Owner, threadId: string): Promise<void> {
    await this.client.call('deleteThread', { tenant, userId, threadId });
  }

  deleteRun({ owner: { tenant, userId }, runId, files }: RunDeletion): Promise<RunDeletionResult> {
    return this.client.call('deleteRun', { tenant, userId, runId, files });
  }

  async copyThread({ owner, threadId, ...copy }: ThreadCopy): Promise<ThreadCopyResult> {
    const { key, maxRuns, maxBytes, maxOwnerBytes } = copy;
    const name = { tenant: owner.tenant, userId: owner.userId, threadId };
    const limits = { maxRuns, maxBytes, maxOwnerBytes };
    const result = await this.client.call('copyThread', { name, key, ...limits, now: this.clock() });
    return result.outcome === 'copied' ? { outcome: 'copied', thread: toThread(result.row) } : result;
  }
}

/** Asks for one thread more than the page has, to know whether there is another page. */
function toListThreads({ tenant, userId }: Owner, page: ThreadListRequest): ListThreads {
  const [updatedBefore = LAST, before = LAST] = keysAfter(page, 2) ?? [];
  const { cursor: _, limit, ...filter } = page;
  return { tenant, userId, updatedBefore, before, limit: limit + 1, ...filter };
}
