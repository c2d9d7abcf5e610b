type Metadata = Readonly<Record<string, unknown>>;

/** Returns the column of a thread's metadata after a change, both as JSON. Null: there are none. */
export function mergeMetadata(column: string | null, change: Metadata | undefined): string | null {
  if (change === undefined) return column;
  const before = column === null ? {} : (JSON.parse(column) as Metadata);
  return JSON.stringify({ ...before, ...change });
}
