import type { Owner } from '../../principal.js';
import { toCreatedRun } from '../../runs/new-run.js';
import type { Run, Thread } from '../../runs/run.js';
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
  type RunOwnership,
} from '../../runs/run.store.js';
import { epochStep } from '../epoch.js';
import { keysAfter, PAGE_OF_RECORDS_BYTES, toPage } from '../page-cursor.js';
import { toRun, toThread } from '../run-rows.js';
import type { SqliteClient } from './sqlite.client.js';
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

  async create(run: NewRun): Promise<CreateResult> {
    const creation = toCreateRun(run, this.clock());
    const result = await this.client.call('createRun', creation);
    if (result.outcome === 'existing') return { outcome: 'existing', run: toRun(result.run) };
    if (result.outcome !== 'created') return result;
    const epoch = result.owned ? creation.owner?.epoch : undefined;
    const { threadKey } = result;
    return { outcome: 'created', run: toCreatedRun(run, { at: creation.run.now, threadKey, epoch }) };
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
    return owned.map(({ runId }, index) => ({
      runId,
      outcome: renewed[index] === 'fenced' ? 'fenced' : 'renewed',
      cancelRequested: renewed[index] === 'cancel-requested',
    }));
  }

  async release({ runId, epoch }: RunOwnership): Promise<void> {
    await this.client.call('releaseRun', { runId, epoch });
  }

  async requestCancel(runId: string): Promise<Run | undefined> {
    const row = await this.client.call('requestCancel', runId);
    return row && toRun(row);
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

  async listThreads({ tenant, userId }: Owner, page: PageRequest): Promise<Page<Thread>> {
    const [updatedBefore = LAST, before = LAST] = keysAfter(page, 2) ?? [];
    const limit = page.limit + 1;
    const rows = await this.client.call('listThreads', { tenant, userId, updatedBefore, before, limit });
    return toPage(rows, page, {
      getKeys: (row) => [row.updated_at, row.ordinal],
      toItem: (row) => toThread(row),
    });
  }

  async listRuns({ tenant, userId }: Owner, threadId: string, page: PageRequest): Promise<Page<Run>> {
    const [before = LAST] = keysAfter(page, 1) ?? [];
    const { limit } = page;
    const scope = { thread: { tenant, userId, threadId }, before, limit, maxBytes: PAGE_OF_RECORDS_BYTES };
    const { rows, hasMore } = await this.client.call('listRuns', scope);
    return toPage(rows, page, { getKeys: (row) => [row.ordinal], toItem: (row) => toRun(row) }, hasMore);
  }

  async deleteThread({ tenant, userId }: Owner, threadId: string): Promise<void> {
    await this.client.call('deleteThread', { tenant, userId, threadId });
  }
}
