/** The result of a query for the model: rows in the order of the columns. */
export interface LookupResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  /** There were more rows, or longer ones, than the limits let through. */
  readonly truncated: boolean;
}

export interface TableDescription {
  readonly table: string;
  /** Name and type: `area_km2 REAL`. */
  readonly columns: readonly string[];
}

/** Limits of a lookup's cost and size. */
export interface LookupLimits {
  readonly maxRows: number;
  /** Of the rows as JSON: what the model has to read. */
  readonly maxBytes: number;
  readonly maxCellLength: number;
  readonly timeoutMs: number;
  /** Of a process that queries an embedded database, all that it holds. Where the database is a server, its settings count. */
  readonly maxMemoryBytes: number;
}

export const LOOKUP_LIMITS: LookupLimits = {
  maxRows: 200,
  maxBytes: 64 * 1024,
  maxCellLength: 2_000,
  timeoutMs: 15_000,
  maxMemoryBytes: 256 * 1024 ** 2,
};

/** Takes rows until a limit is reached, and not one more from the database. */
export function collectRows(
  columns: readonly string[],
  rows: Iterable<readonly unknown[]>,
  limits: LookupLimits,
): LookupResult {
  const collected: (readonly unknown[])[] = [];
  let bytes = 0;
  for (const row of rows) {
    const cells = row.map((value) => cell(value, limits.maxCellLength));
    bytes += Buffer.byteLength(JSON.stringify(cells));
    if (collected.length === limits.maxRows || bytes > limits.maxBytes) {
      return { columns, rows: collected, truncated: true };
    }
    collected.push(cells);
  }
  return { columns, rows: collected, truncated: false };
}

/** @throws Error, written for the model: with two columns of one name it could not tell which value is which */
export function checkColumns(columns: readonly string[]): void {
  const repeated = columns.find((name, at) => columns.indexOf(name) !== at);
  if (repeated !== undefined) {
    throw new Error(`Two columns are named '${repeated}'. Give each its own alias with AS.`);
  }
}

export function tooSlow(timeoutMs: number, cause: unknown): Error {
  return new Error(`The query took longer than ${timeoutMs / 1_000} s and was stopped. Make it cheaper.`, {
    cause,
  });
}

/** As JSON can carry it: a number that it would round becomes text, bytes become their count. */
function cell(value: unknown, maxLength: number): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (value instanceof Uint8Array) return `<${value.byteLength} bytes>`;
  if (typeof value === 'string' && value.length > maxLength) return `${value.slice(0, maxLength)}…`;
  return value;
}
