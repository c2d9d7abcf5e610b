import { SharedState, type SharedValue } from '../../shared-state.js';
import type { PostgresDatabase } from './postgres.database.js';

export class PostgresSharedState extends SharedState {
  constructor(private readonly database: PostgresDatabase) {
    super();
  }

  async get(name: string): Promise<unknown> {
    const [row] = await this.database.query<{ value: string }>(
      `SELECT value FROM ${this.table} WHERE name = $1`,
      [name],
    );
    return row && JSON.parse(row.value);
  }

  async list(prefix: string): Promise<readonly SharedValue[]> {
    const rows = await this.database.query<{ name: string; value: string }>(
      `SELECT name, value FROM ${this.table} WHERE starts_with(name, $1) ORDER BY name`,
      [prefix],
    );
    return rows.map(({ name, value }) => ({ name, value: JSON.parse(value) }));
  }

  /** The update that changes nothing makes the row come back, and waits for a concurrent insert. */
  async create(name: string, value: unknown): Promise<unknown> {
    const [row] = await this.database.query<{ value: string }>(
      `INSERT INTO ${this.table} AS stored (name, value) VALUES ($1, $2)
       ON CONFLICT (name) DO UPDATE SET value = stored.value RETURNING value`,
      [name, JSON.stringify(value)],
    );
    return row && JSON.parse(row.value);
  }

  async set(name: string, value: unknown): Promise<void> {
    await this.database.query(
      `INSERT INTO ${this.table} (name, value) VALUES ($1, $2)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      [name, JSON.stringify(value)],
    );
  }

  async delete(name: string, expected?: unknown): Promise<void> {
    await this.database.query(
      `DELETE FROM ${this.table} WHERE name = $1 AND ($2::text IS NULL OR value = $2)`,
      [name, expected === undefined ? null : JSON.stringify(expected)],
    );
  }

  private get table(): string {
    return `${this.database.schema}.shared_state`;
  }
}
