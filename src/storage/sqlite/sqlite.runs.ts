import type { Owner } from '../../principal.js';
import { runAsCreated } from '../../runs/new.run.js';
import type { Run, Thread } from '../../runs/run.js';
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
import { epochStep } from '../epoch.step.js';
import { keysAfter, pageOf } from '../page.cursor.js';
import type { SqliteClient } from './sqlite.client.js';
import { creationOf, runOf, threadOf } from './sqlite.rows.js';

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
    const creation = creationOf(run, this.clock());
    const result = await this.client.call('createRun', creation);
    if (result.outcome === 'existing') return { outcome: 'existing', run: runOf(result.run) };
    if (result.outcome !== 'created') return result;
    const epoch = result.owned ? creation.owner?.epoch : undefined;
    return { outcome: 'created', run: runAsCreated(run, { at: creation.run.now, epoch }) };
  }

  async get(runId: string): Promise<Run | undefined> {
    const row = await this.client.call('getRun', runId);
    return row && runOf(row);
  }

  async claim({ ownerId, leaseMs }: RunOwner): Promise<Run | undefined> {
    const row = await this.client.call('claimRun', {
      ownerId,
      leaseMs,
      epochStep: epochStep(),
      now: this.clock(),
    });
    return row && runOf(row);
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
    return row && runOf(row);
  }

  async answer({ runId, answers, continuation }: NewAnswers): Promise<AnswerResult> {
    const answered = await this.client.call('answerRun', {
      runId,
      answers,
      continuation: creationOf(continuation, this.clock()),
    });
    if (answered.outcome !== 'answered') return answered;
    const { run, continuedBy } = answered;
    return { outcome: 'answered', run: runOf(run), ...(continuedBy && { continuedBy: runOf(continuedBy) }) };
  }

  async listExpired(limit: number): Promise<readonly Run[]> {
    return (await this.client.call('listExpired', { now: this.clock(), limit })).map(runOf);
  }

  async getThread(threadId: string): Promise<Thread | undefined> {
    const row = await this.client.call('getThread', threadId);
    return row && threadOf(row);
  }

  async listThreads({ tenant, userId }: Owner, page: PageRequest): Promise<Page<Thread>> {
    const [updatedBefore = LAST, before = LAST] = keysAfter(page, 2) ?? [];
    const limit = page.limit + 1;
    const rows = await this.client.call('listThreads', { tenant, userId, updatedBefore, before, limit });
    return pageOf(rows, page, { keysOf: (row) => [row.updated_at, row.ordinal], itemOf: threadOf });
  }

  async listRuns(threadId: string, page: PageRequest): Promise<Page<Run>> {
    const [before = LAST] = keysAfter(page, 1) ?? [];
    const rows = await this.client.call('listRuns', { threadId, before, limit: page.limit + 1 });
    return pageOf(rows, page, { keysOf: (row) => [row.ordinal], itemOf: runOf });
  }

  async deleteThread(threadId: string): Promise<void> {
    await this.client.call('deleteThread', threadId);
  }
}
