import type { Owner } from '../../principal.js';
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
import type { PostgresDatabase, Statements } from './postgres.database.js';
import { runOf, threadOf, type RunRow, type ThreadRow } from './postgres.rows.js';
import { answerRun } from './run.answers.js';
import { createRun, isOneStatement } from './run.creation.js';
import { deleteThread } from './thread.deletion.js';

/** Sorts after every time and every ordinal. */
const LAST = Number.MAX_SAFE_INTEGER;

/**
 * In the FROM of a statement that is a transaction by itself: its commit does not wait for the disk. For what a crash of the
 * database may forget.
 */
const UNSYNCED = `set_config('synchronous_commit', 'off', true)`;

export class PostgresRunStore extends RunStore {
  private readonly s: string;

  constructor(private readonly database: PostgresDatabase) {
    super();
    this.s = database.schema;
  }

  create(run: NewRun): Promise<CreateResult> {
    const epoch = epochStep();
    const create = (tx: Statements, again: boolean) => createRun(tx, this.s, { run, epoch, again });
    return isOneStatement(run) ? this.database.statement(create) : this.database.transaction(create);
  }

  async get(runId: string): Promise<Run | undefined> {
    // PostgreSQL's text has no NUL, so nothing is called like that.
    if (runId.includes('\0')) return undefined;
    const [row] = await this.database.query<RunRow>(`SELECT * FROM ${this.s}.runs WHERE id = $1`, [runId]);
    return row && runOf(row);
  }

  /**
   * Of the runs that may be claimed: those whose owner fell silent first, because people have been watching them; then those of
   * the tenant with the fewest runs at work, so that a tenant with a thousand waiting runs holds up nobody else; then the
   * oldest. A row that somebody else is about to claim is passed over, not waited for.
   *
   * A claim that a crash forgets was in vain: its epoch is not given again, and everything that its owner stores waits for the
   * disk, which then holds the claim as well.
   */
  async claim({ ownerId, leaseMs }: RunOwner): Promise<Run | undefined> {
    const { s } = this;
    const [row] = await this.database.query<RunRow>(
      `WITH at_work AS (
         SELECT tenant, count(*) AS runs FROM ${s}.runs WHERE status = 'running' GROUP BY tenant
       ), next AS (
         SELECT ordinal FROM ${s}.runs AS candidate LEFT JOIN at_work USING (tenant)
         WHERE ended_at IS NULL AND CASE status
           WHEN 'running' THEN lease_until <= ${s}.now_ms()
           ELSE NOT EXISTS (
             SELECT 1 FROM ${s}.runs AS earlier
             WHERE earlier.thread_id = candidate.thread_id AND earlier.ended_at IS NULL
               AND earlier.ordinal < candidate.ordinal)
           END
         ORDER BY status = 'pending', coalesce(at_work.runs, 0), ordinal
         LIMIT 1 FOR UPDATE OF candidate SKIP LOCKED
       )
       UPDATE ${s}.runs SET status = 'running', epoch = epoch + $3, owner_id = $1, lease_ms = $2::int,
         lease_until = ${s}.now_ms() + $2::int, started_at = coalesce(started_at, ${s}.now_ms())
       FROM next, ${UNSYNCED} WHERE runs.ordinal = next.ordinal RETURNING runs.*`,
      [ownerId, leaseMs, epochStep()],
    );
    return row && runOf(row);
  }

  async renew({
    runs,
    leaseMs,
  }: {
    readonly runs: readonly RunOwnership[];
    readonly leaseMs: number;
  }): Promise<readonly RenewResult[]> {
    const { s } = this;
    const renewed = await this.database.query<{ place: number; cancel_requested: boolean }>(
      `UPDATE ${s}.runs SET lease_until = ${s}.now_ms() + $3::int, lease_ms = $3::int
       FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS owned (run_id, epoch, place), ${UNSYNCED}
       WHERE runs.id = owned.run_id AND runs.epoch = owned.epoch AND runs.owner_id IS NOT NULL AND runs.ended_at IS NULL
       RETURNING place, cancel_requested`,
      [runs.map(({ runId }) => runId), runs.map(({ epoch }) => epoch), leaseMs],
    );
    const wishes = new Map(renewed.map(({ place, cancel_requested }) => [place - 1, cancel_requested]));
    return runs.map(({ runId }, index) => ({
      runId,
      outcome: wishes.has(index) ? 'renewed' : 'fenced',
      cancelRequested: wishes.get(index) ?? false,
    }));
  }

  async release({ runId, epoch }: RunOwnership): Promise<void> {
    await this.database.query(
      `UPDATE ${this.s}.runs SET owner_id = NULL, lease_until = 0 WHERE id = $1 AND epoch = $2 AND ended_at IS NULL`,
      [runId, epoch],
    );
  }

  async requestCancel(runId: string): Promise<Run | undefined> {
    await this.database.query(
      `UPDATE ${this.s}.runs SET cancel_requested = true WHERE id = $1 AND ended_at IS NULL`,
      [runId],
    );
    return this.get(runId);
  }

  answer(given: NewAnswers): Promise<AnswerResult> {
    return this.database.transaction((tx, again) => answerRun(tx, this.s, { given, again }));
  }

  async listExpired(limit: number): Promise<readonly Run[]> {
    const { s } = this;
    const rows = await this.database.query<RunRow>(
      `SELECT * FROM ${s}.runs WHERE awaiting_until <= ${s}.now_ms() ORDER BY awaiting_until LIMIT $1`,
      [limit],
    );
    return rows.map(runOf);
  }

  async getThread(threadId: string): Promise<Thread | undefined> {
    if (threadId.includes('\0')) return undefined;
    const [row] = await this.database.query<ThreadRow>(`${this.threads} WHERE threads.id = $1`, [threadId]);
    return row && threadOf(row);
  }

  async listThreads({ tenant, userId }: Owner, page: PageRequest): Promise<Page<Thread>> {
    const [updatedBefore = LAST, before = LAST] = keysAfter(page, 2) ?? [];
    const rows = await this.database.query<ThreadRow>(
      `${this.threads} WHERE tenant = $1 AND user_id = $2 AND (updated_at, ordinal) < ($3, $4)
       ORDER BY updated_at DESC, ordinal DESC LIMIT $5`,
      [tenant, userId, updatedBefore, before, page.limit + 1],
    );
    return pageOf(rows, page, { keysOf: (row) => [row.updated_at, row.ordinal], itemOf: threadOf });
  }

  async listRuns(threadId: string, page: PageRequest): Promise<Page<Run>> {
    const [before = LAST] = keysAfter(page, 1) ?? [];
    const rows = await this.database.query<RunRow>(
      `SELECT * FROM ${this.s}.runs WHERE thread_id = $1 AND ordinal < $2 ORDER BY ordinal DESC LIMIT $3`,
      [threadId, before, page.limit + 1],
    );
    return pageOf(rows, page, { keysOf: (row) => [row.ordinal], itemOf: runOf });
  }

  deleteThread(threadId: string): Promise<void> {
    return this.database.transaction((tx) => deleteThread(tx, this.s, threadId));
  }

  private get threads(): string {
    return `
      SELECT threads.*, (
        SELECT id FROM ${this.s}.runs WHERE thread_id = threads.id AND ended_at IS NULL ORDER BY ordinal LIMIT 1
      ) AS active_run_id
      FROM ${this.s}.threads`;
  }
}
