// Runs as it is, types stripped, from the sources too: erasable TypeScript only, and imports with their real extension.
import { constants, DatabaseSync } from 'node:sqlite';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { createCountries } from './countries.database.ts';
import { checkColumns, collectRows } from './lookup-result.ts';
import type { LookupLimits, LookupResult, TableDescription } from './lookup-result.ts';

export interface LookupTask {
  readonly path?: string | undefined;
  /** Undefined: describe the tables. */
  readonly sql?: string | undefined;
  readonly limits: LookupLimits;
}

export type LookupAnswer =
  | { readonly type: 'result'; readonly result: LookupResult | readonly TableDescription[] }
  | { readonly type: 'query-fault'; readonly message: string }
  | { readonly type: 'unavailable'; readonly message: string };

const READING: ReadonlySet<number> = new Set([
  constants.SQLITE_SELECT,
  constants.SQLITE_READ,
  constants.SQLITE_FUNCTION,
  constants.SQLITE_RECURSIVE,
]);
const READ_ONLY = 'Only reading is allowed: send one SELECT.';
/** Bytes of one value or row: a query can make a large one out of nothing. */
const LARGEST_VALUE = 4 * 1024 * 1024;

if (isMainThread) {
  // The query runs in a thread, so that this one still hears when the server is gone: a runaway query must not outlive it.
  process.once('disconnect', end);
  process.once('message', (task: LookupTask) => {
    new Worker(new URL(import.meta.url), { workerData: task })
      .once('message', (found: LookupAnswer) => process.send?.(found, end))
      .once('error', end);
  });
} else {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
  parentPort?.postMessage(answer(workerData as LookupTask));
}

/** Not process.exit(), which waits for the thread. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

function answer({ path, sql, limits }: LookupTask): LookupAnswer {
  let database: DatabaseSync;
  try {
    database = open(path);
  } catch (error) {
    return { type: 'unavailable', message: messageOf(error) };
  }
  try {
    return { type: 'result', result: sql === undefined ? describe(database) : query(database, sql, limits) };
  } catch (error) {
    return { type: 'query-fault', message: explained(messageOf(error)) };
  } finally {
    database.close();
  }
}

/** Nothing but reading gets past the authorizer: no PRAGMA, no ATTACH, no transaction, whatever the statement looks like. */
function open(path: string | undefined): DatabaseSync {
  const database = new DatabaseSync(path ?? ':memory:', {
    readOnly: path !== undefined,
    timeout: 1_000,
    limits: { length: LARGEST_VALUE },
  });
  if (path === undefined) createCountries(database);
  // The file is only looked at now: one that is no database is not a mistake in the model's query.
  database.prepare('SELECT count(*) FROM sqlite_schema').get();
  database.setAuthorizer((action) => (READING.has(action) ? constants.SQLITE_OK : constants.SQLITE_DENY));
  return database;
}

function query(database: DatabaseSync, sql: string, limits: LookupLimits): LookupResult {
  const statement = database.prepare(sql);
  const columns = statement.columns().map(({ name }) => name);
  if (columns.length === 0) throw new Error(READ_ONLY);
  checkColumns(columns);
  statement.setReturnArrays(true);
  statement.setReadBigInts(true);
  return collectRows(columns, statement.iterate() as unknown as Iterable<unknown[]>, limits);
}

function describe(database: DatabaseSync): readonly TableDescription[] {
  database.setAuthorizer(null);
  const tables = database
    .prepare(
      `SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name LIMIT 200`,
    )
    .all();
  const columns = database.prepare('SELECT name, type FROM pragma_table_info(?)');
  return tables.map(({ name }) => ({
    table: String(name),
    columns: columns.all(name!).map((column) => `${String(column.name)} ${String(column.type)}`.trim()),
  }));
}

function explained(message: string): string {
  if (message === 'not authorized') return READ_ONLY;
  if (message.startsWith('no such table')) return `${message}. Call without sql to see the tables.`;
  return message;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
