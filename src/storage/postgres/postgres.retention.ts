import type { RecordedEvent } from '../../events/recorded-event.js';
import { Retention, type IdleThreads } from '../../runs/retention.js';
import { batchesOf } from '../batch.frames.js';
import type { PostgresDatabase } from './postgres.database.js';
import { deleteThread } from './thread.deletion.js';

/**
 * What makes room. Instances may do it at the same moment: what one has in hand the others pass over. Each step is short,
 * and only touches what has ended, so nobody who appends waits for it; the space is used again by what comes next.
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
    const batches = batchesOf(events);
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

  deleteIdleThreads({ unchangedSince, limit }: IdleThreads): Promise<readonly string[]> {
    const { schema: s } = this.database;
    return this.database.transaction(async (tx) => {
      const idle = `updated_at < $1 AND NOT EXISTS (
        SELECT 1 FROM ${s}.runs WHERE runs.thread_id = threads.id AND runs.ended_at IS NULL)`;
      const rows = await tx.query<{ id: string }>(
        `SELECT id FROM ${s}.threads WHERE ${idle} ORDER BY updated_at, ordinal LIMIT $2 FOR UPDATE SKIP LOCKED`,
        [unchangedSince, limit],
      );
      const ids = rows.map(({ id }) => id);
      for (const id of ids) await deleteThread(tx, s, id);
      return ids;
    });
  }

  /** The logs as their rows count them, and of the other tables the share of their files that holds live rows. */
  async usedBytes(): Promise<number> {
    const { schema: s } = this.database;
    const [row] = await this.database.query<{ bytes: number }>(
      `SELECT (
         (SELECT coalesce(sum(log_bytes), 0) FROM ${s}.runs) +
         (SELECT coalesce(sum(pg_table_size(relid) * (n_live_tup::numeric / greatest(n_live_tup + n_dead_tup, 1))), 0)
          FROM pg_stat_user_tables WHERE schemaname = $1 AND relname <> 'batches')
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
