import type { Page, PageRequest } from '../runs/run.store.js';

/** The sort keys of the last item that a page showed: two for threads (time of change, ordinal), one for runs (ordinal). */
export type SortKeys = readonly number[];

/** Returns the keys after which the page begins. Undefined for the first page, and for a cursor that we did not write. */
export function keysAfter({ cursor }: PageRequest, count: number): SortKeys | undefined {
  if (cursor === undefined) return undefined;
  const parts = Buffer.from(cursor, 'base64url').toString('latin1').split('.');
  const wellFormed = parts.length === count && parts.every((part) => /^\d{1,15}$/.test(part));
  return wellFormed ? parts.map(Number) : undefined;
}

/** The characters of records that one page holds; more only when a single record is larger. */
export const PAGE_OF_RECORDS_BYTES = 512 * 1024;

/**
 * Makes a page of the rows that follow the cursor, of which the caller read one more than fits, if there is one; or says that there
 * are more. A cursor names a place by sort keys, not by a count, so that what is added before it shifts nothing.
 */
export function toPage<Row, Item>(
  rows: readonly Row[],
  { limit }: PageRequest,
  { getKeys, toItem }: { getKeys: (row: Row) => SortKeys; toItem: (row: Row) => Item },
  hasMore = rows.length > limit,
): Page<Item> {
  const visible = rows.slice(0, limit);
  const last = visible.at(-1);
  const items = visible.map(toItem);
  if (last === undefined || !hasMore) return { items };
  return { items, nextCursor: toCursor(getKeys(last)) };
}

/** Returns the cursor of the page that begins after these keys. */
export function toCursor(keys: SortKeys): string {
  return Buffer.from(keys.join('.'), 'latin1').toString('base64url');
}
