import {
  ItemStore,
  type FoundItem,
  type ItemChange,
  type ItemLimits,
  type ItemName,
  type ItemQuery,
  type ItemScope,
  type StoredItem,
} from '../../agents/item.store.js';
import { parsePath, toChangeRow, toFound, toItem, toNameRow, toPath } from '../item-rows.js';
import type { SqliteClient } from './sqlite.client.js';
import type { ItemsOf } from './worker/item-operations.js';

export class SqliteItemStore extends ItemStore {
  constructor(
    private readonly client: SqliteClient,
    private readonly clock: () => number,
  ) {
    super();
  }

  async get(scope: ItemScope, names: readonly ItemName[]): Promise<readonly (StoredItem | undefined)[]> {
    const rows = await this.client.call('getItems', { of: this.now(scope), names: names.map(toNameRow) });
    return rows.map((row) => row && toItem(row));
  }

  async change(
    scope: ItemScope,
    changes: readonly ItemChange[],
    limits: ItemLimits,
  ): Promise<'changed' | 'full'> {
    const input = { of: this.now(scope), changes: changes.map(toChangeRow), limits };
    return (await this.client.call('changeItems', input)) ? 'changed' : 'full';
  }

  async search(scope: ItemScope, { prefix, ...query }: ItemQuery): Promise<readonly FoundItem[]> {
    const rows = await this.client.call('searchItems', { of: this.now(scope), path: toPath(prefix), query });
    return rows.map(toFound);
  }

  async listNamespaces(scope: ItemScope): Promise<readonly (readonly string[])[]> {
    return (await this.client.call('listItemPaths', this.now(scope))).map(parsePath);
  }

  async touch(scope: ItemScope, names: readonly ItemName[]): Promise<void> {
    await this.client.call('touchItems', { of: this.now(scope), names: names.map(toNameRow) });
  }

  async deleteAll({ tenant, userId }: ItemScope): Promise<void> {
    await this.client.call('deleteItems', { tenant, userId: userId ?? null });
  }

  deleteExpired(limit: number): Promise<number> {
    return this.client.call('deleteExpiredItems', { now: this.clock(), limit });
  }

  private now({ tenant, userId = '' }: ItemScope): ItemsOf {
    return { tenant, userId, now: this.clock() };
  }
}
