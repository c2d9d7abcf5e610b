import type { FoundItem, ItemChange, ItemLimits, ItemName, StoredItem } from '../agents/item.store.js';
import { packVectors } from './item-search.ts';

// Also runs in the worker of SQLite, from the sources: erasable TypeScript only.

/** A name as it is stored. Both are JSON inside, because PostgreSQL's text holds no NUL. */
export interface ItemNameRow {
  /** Each label with a period behind it, so that a namespace below another begins with its path. */
  readonly path: string;
  readonly key: string;
}

export interface ItemRow extends ItemNameRow {
  readonly value: string;
  readonly created_at: number;
  readonly updated_at: number;
  readonly ttl_ms: number | null;
}

/** A change as a row. `value: null` removes it. */
export interface ItemChangeRow extends ItemNameRow {
  readonly value: string | null;
  readonly vectors: Uint8Array | null;
  readonly ttlMs: number | null;
  readonly bytes: number;
}

export interface ItemTotals {
  readonly items: number;
  readonly bytes: number;
}

export function toPath(namespace: readonly string[]): string {
  return namespace.map((label) => `${JSON.stringify(label).slice(1, -1)}.`).join('');
}

export function parsePath(path: string): string[] {
  return path
    .slice(0, -1)
    .split('.')
    .map((label) => JSON.parse(`"${label}"`) as string);
}

/** The first path that is not below this one, in the order of bytes; null when all are below. */
export function pathAfter(path: string): string | null {
  // The character behind the period.
  return path === '' ? null : `${path.slice(0, -1)}/`;
}

export function toNameRow({ namespace, key }: ItemName): ItemNameRow {
  return { path: toPath(namespace), key: JSON.stringify(key) };
}

export function toChangeRow(change: ItemChange): ItemChangeRow {
  const name = toNameRow(change);
  if (change.value === null) return { ...name, value: null, vectors: null, ttlMs: null, bytes: 0 };
  const vectors = packVectors(change.vectors);
  const bytes = Buffer.byteLength(name.path + name.key + change.value) + (vectors?.byteLength ?? 0);
  return { ...name, value: change.value, vectors, ttlMs: change.ttlMs ?? null, bytes };
}

export function toItem({ path, key, value, created_at, updated_at, ttl_ms }: ItemRow): StoredItem {
  return {
    namespace: parsePath(path),
    key: JSON.parse(key) as string,
    value,
    createdAt: created_at,
    updatedAt: updated_at,
    expires: ttl_ms !== null,
  };
}

export function toFound(row: ItemRow & { readonly score: number | null }): FoundItem {
  return { ...toItem(row), ...(row.score !== null && { score: row.score }) };
}

/** True if a scope may have come from one to the other. One that is over a limit, which was lowered, may shrink. */
export function fits(before: ItemTotals, after: ItemTotals, { maxItems, maxBytes }: ItemLimits): boolean {
  return (
    (after.items <= maxItems || after.items <= before.items) &&
    (after.bytes <= maxBytes || after.bytes <= before.bytes)
  );
}
