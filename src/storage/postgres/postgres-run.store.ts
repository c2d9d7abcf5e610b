import type { Usage } from '../../events/run-event.js';
import type { Owner } from '../../principal.js';
import type { BranchNode } from '../../runs/branches.js';
import type { FeedbackRequest, GivenFeedback } from '../../runs/feedback.js';
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
import type { ThreadMatch, ThreadSearch } from '../../runs/thread-search.js';
import { epochStep } from '../epoch.js';
import { keysAfter, PAGE_OF_RECORDS_BYTES, toPage } from '../page-cursor.js';
import { toNode, toRenewResult, type NodeRow, type RunRow, type ThreadRow } from '../run-rows.js';
import { continuedBy, findStart, toScannedPage } from '../run-scan.js';
import type { PostgresDatabase, Statements } from './postgres.database.js';
import { parseListedRun, parseRun, parseThread } from './postgres-rows.js';
import { listFeedback, setFeedback } from './run-feedback.js';
import { decideRun } from './run-decisions.js';
import { createRun, isOneStatement } from './run-creation.js';
import { changeMessages } from './run-messages.js';
import { countUnended, findRuns } from './run-lists.js';
import { chargeUsage, listSpending, sumUsage } from './spending.js';
import { deleteRun } from './run-deletion.js';
import { copyThread } from './thread-copies.js';
import { deleteThread } from './thread-deletion.js';
import { lockThread, threadKeyQuery } from './thread-names.js';
import { changeThread, createThread, findThread, threadQuery } from './thread-records.js';
import { searchThreads } from './thread-search.js';

/** Sorts after every time and every ordinal. */
const LAST = Number.MAX_SAFE_INTEGER;

/**
 * In the FROM of a statement that is a transaction by itself: its commit does not wait for the disk. For what a crash of the
 * database may forget.
 */
const UNSYNCED = `set_config('synchronous_commit', 'off', true)`;

interface RenewedRow {
  readonly place: number;
  readonly cancel_requested: boolean;
  readonly message_waits: boolean;
}

export class PostgresRunStore extends RunStore {
  private readonly s: string;

  constructor(private readonly database: PostgresDatabase) {
    super();
    this.s = database.schema;
  }

  create(run: NewRun): Promise<CreateResult> {
    const epoch = epochStep();
    const create = (tx: Statements, isRetry: boolean) => createRun(tx, this.s, { run, epoch, isRetry });
    return isOneStatement(run) ? this.database.statement(create) : this.database.transaction(create);
  }

  async get(runId: string): Promise<Run | undefined> {
    // PostgreSQL's text has no NUL, so nothing is called like that.
    if (runId.includes('\0')) return undefined;
    const table = `${this.s}.runs`;
    const [row] = await this.database.query<RunRow>(
      `SELECT *, ${continuedBy(table)} FROM ${table} WHERE id = $1`,
      [runId],
    );
    return row && parseRun(row);
  }

  async findByKey({ tenant, userId }: Owner, key: string): Promise<KeyedRun | undefined> {
    const [row] = await this.database.query<RunRow>(
      `SELECT * FROM ${this.s}.runs WHERE tenant = $1 AND user_id = $2 AND idempotency_key = $3`,
      [tenant, userId, key],
    );
    return row && { run: parseRun(row), fingerprint: row.fingerprint ?? '' };
  }

  /**
   * The function `claim_run` says whose turn it is. A claim that a crash forgets was in vain: its epoch is not given again, and
   * everything that its owner stores waits for the disk, which then holds the claim as well.
   */
  async claim(claim: ClaimRun): Promise<Run | undefined> {
    const { ownerId, leaseMs, maxRunsPerPrincipal, inHand = [], exceptDeaths } = claim;
    const [row] = await this.database.query<RunRow>(
      `SELECT * FROM ${this.s}.claim_run($1, $2::int, $3::bigint, $4::int, $5::text[], $6::int)`,
      [ownerId, leaseMs, epochStep(), maxRunsPerPrincipal ?? null, [...inHand], exceptDeaths ?? null],
    );
    return row && parseRun(row);
  }

  async renew({
    runs,
    leaseMs,
  }: {
    readonly runs: readonly RunOwnership[];
    readonly leaseMs: number;
  }): Promise<readonly RenewResult[]> {
    const { s } = this;
    const renewed = await this.database.query<RenewedRow>(
      `UPDATE ${s}.runs SET lease_until = ${s}.now_ms() + $3::int, lease_ms = $3::int
       FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS owned (run_id, epoch, place), ${UNSYNCED}
       WHERE runs.id = owned.run_id AND runs.epoch = owned.epoch AND runs.owner_id IS NOT NULL AND runs.ended_at IS NULL
       RETURNING place, cancel_requested, message_waits`,
      [runs.map(({ runId }) => runId), runs.map(({ epoch }) => epoch), leaseMs],
    );
    const found = new Map(
      renewed.map(({ place, cancel_requested: cancelRequested, message_waits: messageWaits }) => [
        place - 1,
        { cancelRequested, messageWaits },
      ]),
    );
    return runs.map(({ runId }, index) => toRenewResult(runId, found.get(index)));
  }

  async release({ runId, epoch }: RunOwnership): Promise<void> {
    await this.database.query(
      `UPDATE ${this.s}.runs SET owner_id = NULL, lease_until = 0 WHERE id = $1 AND epoch = $2 AND ended_at IS NULL`,
      [runId, epoch],
    );
  }

  async requestCancel(runId: string): Promise<Run | undefined> {
    await this.database.query(
      `UPDATE ${this.s}.runs SET cancel_requested = true, status = CASE status WHEN 'delayed' THEN 'pending' ELSE status END
       WHERE id = $1 AND ended_at IS NULL`,
      [runId],
    );
    return this.get(runId);
  }

  async changeMessages(change: MessagesChange): Promise<MessagesResult> {
    if (change.runId.includes('\0')) return { outcome: 'no-run' };
    return this.database.transaction((tx) => changeMessages(tx, this.s, change));
  }

  decide(newDecisions: NewDecisions): Promise<DecideResult> {
    return this.database.transaction((tx, isRetry) => decideRun(tx, this.s, { newDecisions, isRetry }));
  }

  async listExpired(limit: number): Promise<readonly Run[]> {
    const { s } = this;
    const rows = await this.database.query<RunRow>(
      `SELECT * FROM ${s}.runs WHERE awaiting_until <= ${s}.now_ms() ORDER BY awaiting_until LIMIT $1`,
      [limit],
    );
    return rows.map(parseRun);
  }

  async getThread({ tenant, userId }: Owner, threadId: string): Promise<Thread | undefined> {
    if (threadId.includes('\0')) return undefined;
    return findThread(this.database, this.s, { tenant, userId }, threadId);
  }

  createThread(thread: NewThread): ReturnType<RunStore['createThread']> {
    return this.database.transaction((tx) => createThread(tx, this.s, thread));
  }

  async listThreads({ tenant, userId }: Owner, page: ThreadListRequest): Promise<Page<Thread>> {
    const [updatedBefore = LAST, before = LAST] = keysAfter(page, 2) ?? [];
    const { limit, archived, pinned, waiting = false } = page;
    // From the owner's runs that have asked, and not from all of the owner's threads.
    const asking = `AND threads.id = ANY (ARRAY(
      SELECT thread_id FROM ${this.s}.runs AS asking
      WHERE asking.tenant = $1 AND asking.user_id = $2 AND asking.status = 'awaiting-input' AND NOT EXISTS (
        SELECT 1 FROM ${this.s}.runs AS later WHERE later.thread_id = asking.thread_id AND later.ordinal > asking.ordinal)))`;
    const rows = await this.database.query<ThreadRow>(
      `${threadQuery(this.s)} WHERE tenant = $1 AND user_id = $2 AND (updated_at, threads.ordinal) < ($3, $4)
         AND ($6::boolean IS NULL OR archived = $6) AND ($7::boolean IS NULL OR pinned = $7) ${waiting ? asking : ''}
       ORDER BY updated_at DESC, threads.ordinal DESC LIMIT $5`,
      [tenant, userId, updatedBefore, before, limit + 1, archived ?? null, pinned ?? null],
    );
    return toPage(rows, page, { getKeys: (row) => [row.updated_at, row.ordinal], toItem: parseThread });
  }

  searchThreads(owner: Owner, search: ThreadSearch): Promise<Page<ThreadMatch>> {
    return searchThreads(this.database, this.s, { owner, search });
  }

  async changeThread(owner: Owner, threadId: string, change: ThreadChange): Promise<Thread | undefined> {
    if (threadId.includes('\0')) return undefined;
    return this.database.transaction((tx) => changeThread(tx, this.s, { owner, id: threadId, change }));
  }

  async listRuns({ tenant, userId }: Owner, threadId: string, page: PageRequest): Promise<Page<Run>> {
    if (threadId.includes('\0')) return { items: [] };
    const [before = LAST] = keysAfter(page, 1) ?? [];
    // Row by row along the index, so that what lies beyond the page is neither fetched nor counted.
    const rows = await this.database.query<RunRow & { readonly next: number | null }>(
      `SELECT * FROM (
         SELECT runs.*, lead(ordinal) OVER (ORDER BY ordinal DESC) AS next,
           sum(octet_length(message) + octet_length(metadata) + coalesce(octet_length(given), 0) + coalesce(octet_length(approvals), 0)
               + coalesce(octet_length(messages), 0))
             OVER (ORDER BY ordinal DESC ROWS UNBOUNDED PRECEDING) AS bytes,
           row_number() OVER (ORDER BY ordinal DESC) AS place
         FROM ${this.s}.runs WHERE thread_id = (${threadKeyQuery(this.s)}) AND ordinal < $4 ORDER BY ordinal DESC LIMIT $5
       ) AS page WHERE place = 1 OR bytes <= $6 ORDER BY ordinal DESC`,
      [tenant, userId, threadId, before, page.limit, PAGE_OF_RECORDS_BYTES],
    );
    const hasMore = typeof rows.at(-1)?.next === 'number';
    return toPage(rows, page, { getKeys: (row) => [row.ordinal], toItem: parseRun }, hasMore);
  }

  async listNodes(
    { tenant, userId }: Owner,
    threadId: string,
    limit: number,
  ): Promise<readonly BranchNode[]> {
    if (threadId.includes('\0')) return [];
    const rows = await this.database.query<NodeRow>(
      `SELECT id, parent_id, copy_of FROM ${this.s}.runs WHERE thread_id = (${threadKeyQuery(this.s)}) ORDER BY ordinal DESC LIMIT $4`,
      [tenant, userId, threadId, limit],
    );
    return rows.map(toNode);
  }

  async findRuns(filter: RunFilter, page: PageRequest): Promise<Page<ListedRun>> {
    const names = [filter.tenant, filter.userId, filter.agent];
    if (names.some((name) => name?.includes('\0'))) return { items: [] };
    const scan = await findRuns(this.database, this.s, {
      filter,
      limit: page.limit,
      start: findStart(filter, page),
    });
    return toScannedPage(scan, page, parseListedRun);
  }

  setFeedback(runId: string, given: GivenFeedback | undefined): Promise<Run | undefined> {
    return setFeedback(this.database, this.s, runId, given);
  }

  listFeedback(page: FeedbackRequest): Promise<Page<ListedRun>> {
    return listFeedback(this.database, this.s, page);
  }

  countUnended(): Promise<UnendedRuns> {
    return countUnended(this.database, this.s);
  }

  listSpending(query: SpendingQuery): Promise<readonly Spending[]> {
    return listSpending(this.database, this.s, query);
  }

  chargeUsage(outside: OutsideUsage): Promise<void> {
    return chargeUsage(this.database, this.s, outside);
  }

  sumUsage(owner: Owner, threadId: string): Promise<Usage | undefined> {
    return sumUsage(this.database, this.s, { owner, id: threadId });
  }

  deleteThread(owner: Owner, threadId: string): Promise<void> {
    if (threadId.includes('\0')) return Promise.resolve();
    return this.database.transaction(async (tx) => {
      await lockThread(tx, this.s, { owner, id: threadId });
      const [thread] = await tx.query<{ id: string }>(threadKeyQuery(this.s), [
        owner.tenant,
        owner.userId,
        threadId,
      ]);
      if (thread) await deleteThread(tx, this.s, thread.id);
    });
  }

  async deleteRun(deletion: RunDeletion): Promise<RunDeletionResult> {
    if (deletion.runId.includes('\0')) return { outcome: 'no-run' };
    return this.database.transaction((tx) => deleteRun(tx, this.s, deletion));
  }

  async copyThread(copy: ThreadCopy): Promise<ThreadCopyResult> {
    if (copy.threadId.includes('\0')) return { outcome: 'no-thread' };
    return this.database.transaction((tx) => copyThread(tx, this.s, copy));
  }
}
