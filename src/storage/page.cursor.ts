import type { Page, PageRequest } from '../runs/run.store.js';

/** The sort keys of the last item that a page showed: two for threads (time of change, ordinal), one for runs (ordinal). */
export type SortKeys = readonly number[];

/** Where the page asked for begins: after these keys. Undefined for the first page, and for a cursor that we did not write. */
export function keysAfter({ cursor }: PageRequest, count: number): SortKeys | undefined {
  if (cursor === undefined) return undefined;
  const parts = Buffer.from(cursor, 'base64url').toString('latin1').split('.');
  const wellFormed = parts.length === count && parts.every((part) => /^\d{1,15}$/.test(part));
  return wellFormed ? parts.map(Number) : undefined;
}

/**
 * Makes a page of the rows that follow the cursor, of which the caller read one more than fits, if there is one. A cursor
 * names a place by sort keys, not by a count, so that what is added before it shifts nothing.
 */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  { limit }: PageRequest,
  { keysOf, itemOf }: { keysOf: (row: Row) => SortKeys; itemOf: (row: Row) => Item },
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const items = shown.map(itemOf);
  if (last === undefined || rows.length <= limit) return { items };
  return { items, nextCursor: Buffer.from(keysOf(last).join('.'), 'latin1').toString('base64url') };
}
