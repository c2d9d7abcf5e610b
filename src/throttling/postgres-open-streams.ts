import { HOLD_MS, SharedOpenStreams, type HeldSlot } from './shared-open-streams.js';
import type { SharedSql } from './shared-sql.js';

/** Open streams over all instances, in their PostgreSQL: a row for each. */
export class PostgresOpenStreams extends SharedOpenStreams {
  constructor(
    private readonly sql: SharedSql,
    limit: number,
  ) {
    super(limit);
  }

  protected override async take({ id, principal }: HeldSlot): Promise<boolean> {
    const [taken] = await this.sql.query<{ hasTaken: boolean }>(
      `SELECT ${this.sql.schema}.take_stream($1, $2, $3::int, $4::int) AS "hasTaken"`,
      [id, principal, HOLD_MS, this.limit],
    );
    return taken?.hasTaken ?? false;
  }

  protected override async prolong(slots: readonly HeldSlot[]): Promise<void> {
    const { schema: s } = this.sql;
    // Put back where they are missing: the table is emptied by a crash of the database, and the streams are still open.
    await this.sql.query(
      `INSERT INTO ${s}.open_streams (id, principal, held_until)
       SELECT id, principal, ${s}.now_ms() + $3::int FROM unnest($1::text[], $2::text[]) AS held (id, principal)
       ON CONFLICT (id) DO UPDATE SET held_until = excluded.held_until`,
      [slots.map(({ id }) => id), slots.map(({ principal }) => principal), HOLD_MS],
    );
  }

  protected override async giveBack({ id }: HeldSlot): Promise<void> {
    await this.sql.query(`DELETE FROM ${this.sql.schema}.open_streams WHERE id = $1`, [id]);
  }
}
