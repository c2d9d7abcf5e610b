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
import {
  fits,
  parsePath,
  toChangeRow,
  toFound,
  toItem,
  toNameRow,
  toPath,
  type ItemChangeRow,
  type ItemNameRow,
  type ItemRow,
  type ItemTotals,
} from '../item-rows.js';
import { ItemSearch } from '../item-search.js';

interface ItemRecord extends ItemRow {
  readonly id: number;
  readonly scope: ItemScope;
  readonly vectors: Uint8Array | null;
  readonly bytes: number;
  readonly expiresAt: number;
}

/** No method waits for anything, which makes each an atomic step. */
export class MemoryItemStore extends ItemStore {
  /** In the order of creation. */
  private readonly records = new Map<string, ItemRecord>();
  private lastId = 0;

  constructor(private readonly clock: () => number) {
    super();
  }

  async get(scope: ItemScope, names: readonly ItemName[]): Promise<readonly (StoredItem | undefined)[]> {
    return names.map((name) => {
      const record = this.find(scope, toNameRow(name));
      return record && toItem(record);
    });
  }

  async change(
    scope: ItemScope,
    changes: readonly ItemChange[],
    limits: ItemLimits,
  ): Promise<'changed' | 'full'> {
    const rows = changes.map(toChangeRow);
    const before = sum(this.alive(scope));
    const replaced = sum(rows.flatMap((row) => this.find(scope, row) ?? []));
    const added = sum(rows.filter(({ value }) => value !== null));
    const after = {
      items: before.items - replaced.items + added.items,
      bytes: before.bytes - replaced.bytes + added.bytes,
    };
    if (!fits(before, after, limits)) return 'full';
    for (const row of rows) this.put(scope, row);
    return 'changed';
  }

  async search(scope: ItemScope, query: ItemQuery): Promise<readonly FoundItem[]> {
    const prefix = toPath(query.prefix);
    const below = this.alive(scope).filter(({ path }) => path.startsWith(prefix));
    const search = new ItemSearch(query);
    below.some((record) => search.offer(record));
    const byId = new Map(below.map((record) => [record.id, record]));
    return search.hits.flatMap(({ id, score = null }) => {
      const record = byId.get(id);
      return record ? [toFound({ ...record, score })] : [];
    });
  }

  async listNamespaces(scope: ItemScope): Promise<readonly (readonly string[])[]> {
    const paths = new Set(this.alive(scope).map(({ path }) => path));
    return [...paths]
      .toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
      .map(parsePath);
  }

  async touch(scope: ItemScope, names: readonly ItemName[]): Promise<void> {
    for (const name of names) {
      const record = this.find(scope, toNameRow(name));
      if (!record || record.ttl_ms === null) continue;
      this.records.set(toRecordKey(scope, record), { ...record, expiresAt: this.clock() + record.ttl_ms });
    }
  }

  async deleteAll({ tenant, userId }: ItemScope): Promise<void> {
    for (const [key, { scope }] of this.records) {
      if (scope.tenant === tenant && (userId === undefined || scope.userId === userId))
        this.records.delete(key);
    }
  }

  async deleteExpired(limit: number): Promise<number> {
    const now = this.clock();
    const expired = [...this.records].filter(([, { expiresAt }]) => expiresAt <= now).slice(0, limit);
    for (const [key] of expired) this.records.delete(key);
    return expired.length;
  }

  private put(scope: ItemScope, { value, ttlMs, ...row }: ItemChangeRow): void {
    const key = toRecordKey(scope, row);
    const now = this.clock();
    const earlier = this.find(scope, row);
    // One that has expired is made anew, at the end.
    if (!earlier || value === null) this.records.delete(key);
    if (value === null) return;
    this.lastId += earlier ? 0 : 1;
    this.records.set(key, {
      ...row,
      id: earlier?.id ?? this.lastId,
      scope,
      value,
      created_at: earlier?.created_at ?? now,
      updated_at: now,
      ttl_ms: ttlMs,
      expiresAt: ttlMs === null ? Infinity : now + ttlMs,
    });
  }

  private find(scope: ItemScope, name: ItemNameRow): ItemRecord | undefined {
    const record = this.records.get(toRecordKey(scope, name));
    return record && record.expiresAt > this.clock() ? record : undefined;
  }

  private alive({ tenant, userId }: ItemScope): ItemRecord[] {
    const now = this.clock();
    return [...this.records.values()].filter(
      ({ scope, expiresAt }) => scope.tenant === tenant && scope.userId === userId && expiresAt > now,
    );
  }
}

function toRecordKey({ tenant, userId }: ItemScope, { path, key }: ItemNameRow): string {
  return JSON.stringify([tenant, userId ?? null, path, key]);
}

function sum(rows: readonly { readonly bytes: number }[]): ItemTotals {
  return { items: rows.length, bytes: rows.reduce((total, { bytes }) => total + bytes, 0) };
}
