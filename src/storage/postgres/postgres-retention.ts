import type { RecordedEvent } from '../../events/recorded-event.js';
import type { SaidText } from '../../runs/event-log.js';
import { Retention, type DeletedThread, type IdleThreads, type OwnerUsage } from '../../runs/retention.js';
import { toBatches } from '../batch.codec.js';
import { toThreadName, type ThreadRow } from '../run-rows.js';
import type { PostgresDatabase } from './postgres.database.js';
import { deleteThread } from './thread-deletion.js';
import { tryLockThread } from './thread-names.js';
import { indexRun } from './word-index.js';

/** Threads looked at beyond those that are wanted: what others have in hand is passed over. */
const PASSED_OVER = 16;

/**
 * Makes room in the database. Instances may do it at the same moment: what one has in hand the others pass over. Each step is short,
 * and only touches what has ended, so appends do not wait for it; the space is used again by what comes next.
 */
export class PostgresRetention extends Retention {
  constructor(private readonly database: PostgresDatabase) {
    super();
  }

  async listUncompacted({
    endedBefore,
    limit,
  }: {
    readonly endedBefore: number;
    readonly limit: number;
  }): Promise<readonly string[]> {
    const rows = await this.database.query<{ id: string }>(
      `SELECT id FROM ${this.database.schema}.runs WHERE ended_at < $1::bigint AND NOT compacted ORDER BY ended_at LIMIT $2`,
      [endedBefore, limit],
    );
    return rows.map(({ id }) => id);
  }

  compact(runId: string, events: readonly RecordedEvent[]): Promise<'compacted' | 'refused'> {
    const { schema: s } = this.database;
    const batches = toBatches(events);
    const [first, last] = [batches[0], batches.at(-1)];
    return this.database.transaction(async (tx) => {
      const [run] = await tx.query<{ ordinal: number; last_seq: number }>(
        `SELECT ordinal, last_seq FROM ${s}.runs WHERE id = $1 AND ended_at IS NOT NULL AND NOT compacted FOR UPDATE`,
        [runId],
      );
      if (!run || !first || last?.lastSeq !== run.last_seq) return 'refused';
      await tx.query(`DELETE FROM ${s}.batches WHERE run = $1`, [run.ordinal]);
      await tx.query(
        `INSERT INTO ${s}.batches (run, first_seq, last_seq, epoch, frames)
         SELECT $1, * FROM unnest($2::int[], $3::int[], $4::bigint[], $5::text[])`,
        [
          run.ordinal,
          batches.map(({ firstSeq }) => firstSeq),
          batches.map(({ lastSeq }) => lastSeq),
          batches.map(({ epoch }) => epoch),
          batches.map(({ frames }) => frames),
        ],
      );
      await tx.query(
        `UPDATE ${s}.runs SET compacted = true, first_seq = $2, log_bytes = $3 WHERE ordinal = $1`,
        [
          run.ordinal,
          first.firstSeq,
          batches.reduce((sum, { frames }) => sum + Buffer.byteLength(frames), 0),
        ],
      );
      return 'compacted';
    });
  }

  async listUnindexed(limit: number): Promise<readonly string[]> {
    const rows = await this.database.query<{ id: string }>(
      `SELECT id FROM ${this.database.schema}.runs WHERE NOT indexed AND ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT $1`,
      [limit],
    );
    return rows.map(({ id }) => id);
  }

  index(runId: string, said: SaidText): Promise<void> {
    return this.database.transaction((tx) => indexRun(tx, this.database.schema, { runId, said }));
  }

  deleteIdleThreads({ unchangedSince, limit, owner }: IdleThreads): Promise<readonly DeletedThread[]> {
    return this.deleteThreads({
      isDue: 'updated_at < $1',
      moment: unchangedSince,
      order: 'updated_at, ordinal',
      limit,
      owner,
    });
  }

  deleteExpiredThreads({
    now,
    limit,
  }: {
    readonly now: number;
    readonly limit: number;
  }): Promise<readonly DeletedThread[]> {
    const expiry = 'greatest(updated_at, ttl_at) + ttl_ms';
    const isDue = `ttl_ms IS NOT NULL AND ${expiry} <= $1`;
    return this.deleteThreads({ isDue, moment: now, order: expiry, limit });
  }

  private deleteThreads({
    isDue,
    moment,
    order,
    limit,
    owner,
  }: DueThreads): Promise<readonly DeletedThread[]> {
    const { schema: s } = this.database;
    const idle = `SELECT id, name, tenant, user_id FROM ${s}.threads
      WHERE ${isDue} AND NOT EXISTS (
        SELECT 1 FROM ${s}.runs WHERE runs.thread_id = threads.id AND runs.ended_at IS NULL)`;
    const mine = owner ? 'AND tenant = $3 AND user_id = $4' : '';
    return this.database.transaction(async (tx) => {
      const rows = await tx.query<ThreadRow>(`${idle} ${mine} ORDER BY ${order} LIMIT $2`, [
        moment,
        limit + PASSED_OVER,
        ...(owner ? [owner.tenant, owner.userId] : []),
      ]);
      const deleted: DeletedThread[] = [];
      for (const row of rows) {
        if (deleted.length === limit) break;
        const thread = toThreadName(row);
        if (!(await tryLockThread(tx, s, thread))) continue;
        // Nothing can begin in it from here on. Until now something could.
        const still = await tx.query(`${idle} AND id = $2`, [moment, row.id]);
        if (still.length === 0) continue;
        await deleteThread(tx, s, row.id);
        deleted.push(thread);
      }
      return deleted;
    });
  }

  async listUsage(limit: number): Promise<readonly OwnerUsage[]> {
    const { schema: s } = this.database;
    const rows = await this.database.query<{ tenant: string; user_id: string; bytes: number }>(
      `SELECT tenant, user_id, sum(kept)::bigint AS bytes FROM (
         SELECT tenant, user_id, sum(log_bytes + octet_length(message)) AS kept FROM ${s}.runs
           WHERE ended_at IS NOT NULL GROUP BY tenant, user_id
         UNION ALL SELECT tenant, user_id, sum(bytes) FROM ${s}.blobs GROUP BY tenant, user_id) AS kinds
       GROUP BY tenant, user_id ORDER BY bytes DESC LIMIT $1`,
      [limit],
    );
    return rows.map(({ tenant, user_id: userId, bytes }) => ({ owner: { userId, tenant }, bytes }));
  }

  /**
   * The logs and the blobs as their rows count them, and of the other tables the share of their files that holds live rows. PostgreSQL learns of deleted
   * rows a second late, in which a sweep would delete a hundred threads too many.
   */
  async usedBytes(): Promise<number> {
    const { schema: s } = this.database;
    const [row] = await this.database.query<{ bytes: number }>(
      `SELECT (
         (SELECT coalesce(sum(log_bytes), 0) FROM ${s}.runs) +
         (SELECT coalesce(sum(bytes), 0) FROM ${s}.blobs) +
         (SELECT coalesce(sum(pg_table_size(relid) * (n_live_tup::numeric / greatest(n_live_tup + n_dead_tup, 1))), 0)
          FROM pg_stat_user_tables WHERE schemaname = $1 AND relname NOT IN ('batches', 'blobs'))
       )::bigint AS bytes`,
      [s],
    );
    return row?.bytes ?? 0;
  }

  /** Autovacuum makes free space usable again; the files are the database's business. */
  async shrink(): Promise<boolean> {
    return false;
  }
}

/** The threads to delete that have no run that goes on. */
interface DueThreads extends Pick<IdleThreads, 'limit' | 'owner'> {
  /** A condition on `moment`, which is $1. */
  readonly isDue: string;
  readonly moment: number;
  readonly order: string;
}
