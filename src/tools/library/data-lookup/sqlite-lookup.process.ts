// Runs as it is, types stripped, from the sources too: erasable TypeScript only, and imports with their real extension.
import { constants, DatabaseSync } from 'node:sqlite';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import type { WorkerMessage, WorkerReply } from '../../workers/worker-protocol.ts';
import { createCountries } from './countries.database.ts';
import { checkColumns, collectRows } from './lookup-result.ts';
import type { LookupLimits, LookupResult, TableDescription } from './lookup-result.ts';
import { beginsLikeQuery } from './sql.ts';

export interface LookupTask {
  readonly path?: string | undefined;
  /** Undefined: describe the tables. */
  readonly sql?: string | undefined;
  readonly limits: LookupLimits;
}

export type LookupReply =
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

/** A query can fill a few hundred megabytes between two looks. */
const LOOK_EVERY_MS = 20;

if (isMainThread) superviseQueries();
else serveQueries();

/**
 * Queries run in a thread, so that this one still hears when the server is gone, and sees how much memory they take: SQLite as Node
 * builds it does not count that itself. A runaway query ends with its process.
 */
function superviseQueries(): void {
  const thread = new Worker(new URL(import.meta.url)).once('error', end).once('exit', end);
  let limit = Infinity;
  let watch: NodeJS.Timeout | undefined;
  process.once('disconnect', end);
  process.on('message', (task: LookupTask) => {
    limit = task.limits.maxMemoryBytes;
    watch = setInterval(() => memory() > limit && end(), LOOK_EVERY_MS);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    thread.postMessage(task);
  });
  thread.on('message', (message: WorkerMessage) => {
    if (message === 'begun') return process.send?.(message);
    clearInterval(watch);
    // What a query has freed the process may keep. The next one starts with enough.
    const reply: WorkerReply = { ...message, spent: memory() > limit / 2 };
    process.send?.(reply);
  });
}

function serveQueries(): void {
  const say = (message: WorkerMessage): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
    parentPort?.postMessage(message);
  };
  parentPort?.on('message', (task: LookupTask) => {
    say('begun');
    say({ value: answer(task) });
  });
}

/** Bytes that the process holds. */
function memory(): number {
  return process.memoryUsage.rss();
}

/** Not process.exit(), which waits for the thread. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

function answer({ path, sql, limits }: LookupTask): LookupReply {
  let database: DatabaseSync;
  try {
    database = open(path);
  } catch (error) {
    return { type: 'unavailable', message: getMessage(error) };
  }
  try {
    return { type: 'result', result: sql === undefined ? describe(database) : query(database, sql, limits) };
  } catch (error) {
    return { type: 'query-fault', message: explained(getMessage(error)) };
  } finally {
    database.close();
  }
}

function open(path: string | undefined): DatabaseSync {
  const database = new DatabaseSync(path ?? ':memory:', {
    readOnly: path !== undefined,
    timeout: 1_000,
    limits: { length: LARGEST_VALUE },
  });
  if (path === undefined) createCountries(database);
  // Sorts and groups without end would fill the disk; in memory they meet the process's limit.
  database.exec('PRAGMA temp_store = MEMORY');
  // The file is only looked at now: a file that is not a database is not a mistake in the model's query.
  database.prepare('SELECT count(*) FROM sqlite_schema').get();
  allowOnlyReading(database);
  return database;
}

/**
 * Nothing but reading gets past the authorizer: no PRAGMA, no ATTACH, no transaction, whatever the statement looks like. Node 22 has
 * none. There the file is open for reading only, the connection refuses to write, and `query` takes no other statements.
 */
function allowOnlyReading(database: DatabaseSync): void {
  if ('setAuthorizer' in database)
    database.setAuthorizer((action) => (READING.has(action) ? constants.SQLITE_OK : constants.SQLITE_DENY));
  else (database as DatabaseSync).exec('PRAGMA query_only = ON');
}

function query(database: DatabaseSync, sql: string, limits: LookupLimits): LookupResult {
  if (!('setAuthorizer' in database) && (!beginsLikeQuery(sql) || /\bpragma_/i.test(sql)))
    throw new Error(READ_ONLY);
  const statement = database.prepare(sql);
  const columns = statement.columns().map(({ name }) => name);
  if (columns.length === 0) throw new Error(READ_ONLY);
  checkColumns(columns);
  statement.setReturnArrays(true);
  statement.setReadBigInts(true);
  return collectRows(columns, statement.iterate() as unknown as Iterable<unknown[]>, limits);
}

function describe(database: DatabaseSync): readonly TableDescription[] {
  if ('setAuthorizer' in database) database.setAuthorizer(null);
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

function getMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
