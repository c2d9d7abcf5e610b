import type { DatabaseSync } from 'node:sqlite';
import type { ItemLimits, ItemQuery } from '../../../agents/item.store.js';
import { fits, pathAfter, type ItemChangeRow, type ItemNameRow, type ItemRow } from '../../item-rows.ts';
import { ItemSearch, type Candidate } from '../../item-search.ts';

/** Whose items, and the time: what is expired by then is not there. */
export interface ItemsOf {
  readonly tenant: string;
  /** Empty: those that the users of the tenant share. */
  readonly userId: string;
  readonly now: number;
}

export type FoundRow = ItemRow & { readonly score: number | null };

const OWN = 'tenant = :tenant AND user_id = :userId';
const ALIVE = '(expires_at IS NULL OR expires_at > :now)';
const NAMED = `${OWN} AND path = :path AND key = :key`;
const COLUMNS = 'path, key, value, created_at, updated_at, ttl_ms';

export function itemOperations(db: DatabaseSync) {
  const byName = db.prepare(`SELECT ${COLUMNS}, bytes FROM items WHERE ${NAMED} AND ${ALIVE}`);
  const totals = db.prepare(
    `SELECT count(*) AS items, coalesce(sum(bytes), 0) AS bytes FROM items WHERE ${OWN} AND ${ALIVE}`,
  );
  const remove = db.prepare(`DELETE FROM items WHERE ${NAMED}`);
  const removeExpired = db.prepare(`DELETE FROM items WHERE ${NAMED} AND expires_at <= :now`);
  const put = db.prepare(`
    INSERT INTO items (tenant, user_id, path, key, value, vectors, bytes, created_at, updated_at, ttl_ms, expires_at)
    VALUES (:tenant, :userId, :path, :key, :value, :vectors, :bytes, :now, :now, :ttlMs, :now + :ttlMs)
    ON CONFLICT (tenant, user_id, path, key) DO UPDATE SET
      value = excluded.value, vectors = excluded.vectors, bytes = excluded.bytes, updated_at = excluded.updated_at,
      ttl_ms = excluded.ttl_ms, expires_at = excluded.expires_at`);
  const below = db.prepare(`
    SELECT id FROM items
    WHERE ${OWN} AND path >= :path AND (:end IS NULL OR path < :end) AND ${ALIVE} ORDER BY id`);
  const candidate = db.prepare('SELECT id, value, vectors FROM items WHERE id = ?');
  const byId = db.prepare(`SELECT ${COLUMNS} FROM items WHERE id = ?`);
  const paths = db.prepare(`SELECT DISTINCT path FROM items WHERE ${OWN} AND ${ALIVE} ORDER BY path`);
  const touch = db.prepare(
    `UPDATE items SET expires_at = :now + ttl_ms WHERE ${NAMED} AND expires_at > :now`,
  );
  const deleteAll = db.prepare(
    'DELETE FROM items WHERE tenant = :tenant AND (:userId IS NULL OR user_id = :userId)',
  );
  const deleteExpired = db.prepare(
    'DELETE FROM items WHERE id IN (SELECT id FROM items WHERE expires_at <= :now LIMIT :limit)',
  );

  const find = (of: ItemsOf, { path, key }: ItemNameRow) =>
    byName.get({ ...of, path, key }) as (ItemRow & { readonly bytes: number }) | undefined;

  return {
    getItems({
      of,
      names,
    }: {
      readonly of: ItemsOf;
      readonly names: readonly ItemNameRow[];
    }): (ItemRow | undefined)[] {
      return names.map((name) => find(of, name));
    },

    /** False, and nothing is changed, if that would be more than the limits. */
    changeItems({
      of,
      changes,
      limits,
    }: {
      readonly of: ItemsOf;
      readonly changes: readonly ItemChangeRow[];
      readonly limits: ItemLimits;
    }): boolean {
      const before = totals.get({ ...of }) as unknown as { readonly items: number; readonly bytes: number };
      let { items, bytes } = before;
      for (const change of changes) {
        const replaced = find(of, change);
        items += Number(change.value !== null) - Number(replaced !== undefined);
        bytes += change.bytes - (replaced?.bytes ?? 0);
      }
      if (!fits(before, { items, bytes }, limits)) return false;
      for (const { path, key, ...change } of changes) {
        if (change.value === null) remove.run({ tenant: of.tenant, userId: of.userId, path, key });
        else {
          removeExpired.run({ ...of, path, key });
          put.run({ ...of, path, key, ...change });
        }
      }
      return true;
    },

    searchItems({
      of,
      path,
      query,
    }: {
      readonly of: ItemsOf;
      readonly path: string;
      readonly query: Omit<ItemQuery, 'prefix'>;
    }): FoundRow[] {
      const search = new ItemSearch(query);
      for (const { id } of below.all({ ...of, path, end: pathAfter(path) }) as unknown as {
        readonly id: number;
      }[]) {
        if (search.offer(candidate.get(id) as unknown as Candidate)) break;
      }
      return search.hits.map(({ id, score = null }) => ({ ...(byId.get(id) as unknown as ItemRow), score }));
    },

    listItemPaths(of: ItemsOf): string[] {
      return paths.all({ ...of }).map(({ path }) => path as string);
    },

    touchItems({ of, names }: { readonly of: ItemsOf; readonly names: readonly ItemNameRow[] }): void {
      for (const { path, key } of names) touch.run({ ...of, path, key });
    },

    deleteItems(of: { readonly tenant: string; readonly userId: string | null }): void {
      deleteAll.run({ ...of });
    },

    deleteExpiredItems(input: { readonly now: number; readonly limit: number }): number {
      return Number(deleteExpired.run({ ...input }).changes);
    },
  };
}
