import { AssistantStore, type StoredAssistant } from '../../agents/assistant.store.js';
import type { Owner } from '../../principal.js';
import { decidePut } from '../put-assistant.js';
import type { PostgresDatabase } from './postgres.database.js';
import { lock } from './thread-names.js';

export class PostgresAssistantStore extends AssistantStore {
  constructor(private readonly database: PostgresDatabase) {
    super();
  }

  async get({ tenant, userId }: Owner, id: string): Promise<StoredAssistant | undefined> {
    if (id.includes('\0')) return undefined;
    const [row] = await this.database.query<StoredAssistant>(
      `SELECT id, revision, document FROM ${this.table} WHERE tenant = $1 AND user_id = $2 AND id = $3`,
      [tenant, userId, id],
    );
    return row;
  }

  list({ tenant, userId }: Owner): Promise<readonly StoredAssistant[]> {
    return this.database.query<StoredAssistant>(
      `SELECT id, revision, document FROM ${this.table} WHERE tenant = $1 AND user_id = $2 ORDER BY ordinal`,
      [tenant, userId],
    );
  }

  put(
    { tenant, userId }: Owner,
    { id, revision, document }: StoredAssistant,
    maxAssistants: number,
  ): Promise<'stored' | 'conflict' | 'full'> {
    const of = [tenant, userId];
    return this.database.transaction(async (tx) => {
      // One assistant of an owner at a time, so that two together cannot pass the limit.
      await lock(tx, `${this.table}:${JSON.stringify(of)}`);
      const [stored] = await tx.query<StoredAssistant>(
        `SELECT id, revision, document FROM ${this.table} WHERE tenant = $1 AND user_id = $2 AND id = $3`,
        [...of, id],
      );
      const [room] = await tx.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM ${this.table} WHERE tenant = $1 AND user_id = $2`,
        of,
      );
      const decision = decidePut({ revision, document }, stored, { count: room?.count ?? 0, maxAssistants });
      if (decision === 'conflict' || decision === 'full') return decision;
      if (decision !== 'stored') {
        await tx.query(
          `INSERT INTO ${this.table} (tenant, user_id, id, revision, document) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (tenant, user_id, id) DO UPDATE SET revision = excluded.revision, document = excluded.document`,
          [...of, id, revision, document],
        );
      }
      return 'stored';
    });
  }

  async delete({ tenant, userId }: Owner, id: string): Promise<void> {
    if (id.includes('\0')) return;
    await this.database.query(`DELETE FROM ${this.table} WHERE tenant = $1 AND user_id = $2 AND id = $3`, [
      tenant,
      userId,
      id,
    ]);
  }

  async deleteAll({ tenant, userId }: Owner): Promise<void> {
    await this.database.query(`DELETE FROM ${this.table} WHERE tenant = $1 AND user_id = $2`, [
      tenant,
      userId,
    ]);
  }

  private get table(): string {
    return `${this.database.schema}.assistants`;
  }
}
