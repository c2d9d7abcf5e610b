import { SharedState, type SharedValue } from '../../shared-state.js';
import type { SqliteClient } from './sqlite.client.js';

export class SqliteSharedState extends SharedState {
  constructor(
    private readonly client: SqliteClient,
    override readonly outlivesProcess: boolean,
  ) {
    super();
  }

  async get(name: string): Promise<unknown> {
    const value = await this.client.call('getShared', name);
    return value === undefined ? undefined : JSON.parse(value);
  }

  async list(prefix: string): Promise<readonly SharedValue[]> {
    const rows = await this.client.call('listShared', prefix);
    return rows.map(({ name, value }) => ({ name, value: JSON.parse(value) }));
  }

  async create(name: string, value: unknown): Promise<unknown> {
    return JSON.parse(await this.client.call('createShared', { name, value: JSON.stringify(value) }));
  }

  async set(name: string, value: unknown): Promise<void> {
    await this.client.call('setShared', { name, value: JSON.stringify(value) });
  }

  async delete(name: string, expected?: unknown): Promise<void> {
    const value = expected === undefined ? null : JSON.stringify(expected);
    await this.client.call('deleteShared', { name, value });
  }
}
