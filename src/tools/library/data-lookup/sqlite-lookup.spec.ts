import { fork, type ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callContext } from '../../tool.testing.js';
import { LOOKUP_LIMITS } from './lookup-result.js';
import { lookupDatabase } from './lookup-source.js';
import { SqliteLookup } from './sqlite-lookup.js';

const caller = callContext();
const ENDLESS = 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n';

describe('SqliteLookup on the countries of the world', () => {
  const countries = lookupDatabase(undefined);

  it('describes the tables of the countries database', async () => {
    const tables = await countries.tables(caller);
    expect(tables.map(({ table }) => table)).toEqual(['borders', 'countries', 'currencies', 'languages']);
    expect(tables[1]?.columns).toContain('area_km2 REAL');
  });

  it('answers a query over three tables', async () => {
    const result = await countries.query(
      `SELECT n.name, l.name AS language FROM borders b JOIN countries n ON n.code = b.neighbour_code
       JOIN languages l ON l.country_code = n.code WHERE b.country_code = 'ESP' AND n.name IN ('Portugal', 'Gibraltar') ORDER BY n.name`,
      caller,
    );
    expect(result).toEqual({
      columns: ['name', 'language'],
      rows: [
        ['Gibraltar', 'English'],
        ['Portugal', 'Portuguese'],
      ],
      truncated: false,
    });
  });

  it('returns at most 200 rows and says that there are more', async () => {
    const { rows, truncated } = await countries.query('SELECT code FROM countries', caller);
    expect(rows).toHaveLength(200);
    expect(truncated).toBe(true);
  });

  it.each([
    ['SELECT inhabitants FROM countries', /no such column: inhabitants/],
    ['SELECT * FROM cities', /no such table: cities.*to see the tables/],
    ['SELEC 1', /syntax error|Only reading/],
    ['SELECT name, name FROM countries', /'name'/],
    // Node 22 has no limit of a value, nor an authorizer; the limit of the process's memory holds there.
    ...('setAuthorizer' in DatabaseSync.prototype
      ? [["SELECT printf('%.*c', 100000000, 'x')", /too big/] as const]
      : []),
  ])('tells the model what is wrong with the SQL %s', async (sql, message) => {
    await expect(countries.query(sql, caller)).rejects.toThrow(message);
  });
});

describe('SqliteLookup on a file', () => {
  let directory: string;
  let path: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lookup-'));
    path = join(directory, 'orders.db');
    const database = new DatabaseSync(path);
    database.exec(
      `CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL); INSERT INTO orders VALUES (1, 9.5)`,
    );
    database.close();
  });

  afterAll(() => rm(directory, { recursive: true }));

  it.each(['sqlite', 'file', 'file URL'])('opens a file by its %s address', async (kind) => {
    const address = kind === 'file URL' ? pathToFileURL(path).href : `${kind}:${path}`;
    const { rows } = await lookupDatabase(address).query('SELECT id, total FROM orders', caller);
    expect(rows).toEqual([[1, 9.5]]);
  });

  it.each([
    'INSERT INTO orders VALUES (2, 1)',
    'UPDATE orders SET total = 0',
    'DELETE FROM orders',
    'DROP TABLE orders',
    'CREATE TABLE more (id)',
    'CREATE TEMP TABLE more AS SELECT 1',
    'REPLACE INTO orders VALUES (1, 0)',
    'PRAGMA query_only = OFF',
    'PRAGMA journal_mode = DELETE',
    "SELECT * FROM pragma_table_info('orders')",
    "ATTACH DATABASE ':memory:' AS other",
    "VACUUM INTO 'copy.db'",
    'BEGIN',
    'ANALYZE',
    'REINDEX',
    "SELECT load_extension('x')",
    'WITH x AS (SELECT 1) INSERT INTO orders SELECT 2, 2 FROM x',
    'WITH x AS (DELETE FROM orders RETURNING *) SELECT * FROM x',
  ])('does not run the SQL %s on SQLite', async (sql) => {
    await expect(lookupDatabase(`sqlite:${path}`).query(sql, caller)).rejects.toThrow();
    const { rows } = await lookupDatabase(`sqlite:${path}`).query('SELECT id, total FROM orders', caller);
    expect(rows).toEqual([[1, 9.5]]);
  });

  it('stops a query at the time limit without blocking the event loop', async () => {
    const lookup = new SqliteLookup(path, { ...LOOKUP_LIMITS, timeoutMs: 300 });
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 10);
    await expect(lookup.query(ENDLESS, caller)).rejects.toThrow('longer than 0.3 s');
    clearInterval(timer);
    // None, if it blocked: on a busy machine, not all of those that are due.
    expect(turns).toBeGreaterThan(1);
  });

  it('stops a query when the call is cancelled', async () => {
    const controller = new AbortController();
    const call = new SqliteLookup(path, LOOKUP_LIMITS).query(
      ENDLESS,
      callContext({ signal: controller.signal }),
    );
    controller.abort(new Error('cancelled'));
    await expect(call).rejects.toThrow('cancelled');
  });

  it.each([
    'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n ORDER BY -x',
    'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT DISTINCT x % 1000000000000 FROM n LIMIT 1 OFFSET 1000000000000',
    'WITH RECURSIVE n(x) AS (SELECT 1 UNION SELECT x + 1 FROM n) SELECT count(*) FROM n',
  ])('stops the SQL %s at its memory limit and serves the next query', async (sql) => {
    const lookup = new SqliteLookup(path, {
      ...LOOKUP_LIMITS,
      timeoutMs: 600_000,
      maxMemoryBytes: 128 * 1024 ** 2,
    });
    await expect(lookup.query(sql, caller)).rejects.toThrow('too much memory');
    expect((await lookup.query('SELECT id FROM orders', caller)).rows).toEqual([[1]]);
  });

  it('runs at most a few child processes for many lookups', async () => {
    const children = { now: 0, most: 0, started: 0 };
    const count = (message: unknown): void => {
      children.started += 1;
      children.most = Math.max(children.most, (children.now += 1));
      (message as { process: ChildProcess }).process.once('exit', () => (children.now -= 1));
    };
    subscribe('child_process', count);
    const lookup = new SqliteLookup(path, { ...LOOKUP_LIMITS, timeoutMs: 50 });
    const calls = Array.from({ length: 40 }, (_, at) =>
      lookup.query(at % 10 === 0 ? ENDLESS : 'SELECT id FROM orders', caller),
    );
    const outcomes = await Promise.allSettled(calls);
    unsubscribe('child_process', count);
    expect(outcomes.filter(({ status }) => status === 'rejected').length).toBeGreaterThanOrEqual(4);
    expect(children.started).toBeGreaterThanOrEqual(3);
    expect(children.most).toBeLessThanOrEqual(Math.max(2, availableParallelism() - 1));
  });

  it('ends its child process when the server is gone', async () => {
    const program = fileURLToPath(new URL('./sqlite-lookup.process.ts', import.meta.url));
    const child = fork(program, { execArgv: ['--disable-warning=ExperimentalWarning'] });
    child.send({ path, sql: ENDLESS, limits: LOOKUP_LIMITS });
    child.disconnect();
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  });

  it.each(['absent.db', 'text.db'])(
    'names the setting but not the path when %s cannot be opened',
    async (name) => {
      await writeFile(join(directory, 'text.db'), 'This is no database, but it is long enough. '.repeat(50));
      await expect(lookupDatabase(`sqlite:${join(directory, name)}`).tables(caller)).rejects.toMatchObject({
        code: 'TOOL_NOT_CONFIGURED',
        message: 'The lookup database cannot be opened. Check lookupDatabaseUrl of ToolLibraryOptions.',
      });
    },
  );

  it.each(['mysql://host/db', 'orders.db', 'sqlite:'])('refuses the database address %s', (address) => {
    expect(() => lookupDatabase(address)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
