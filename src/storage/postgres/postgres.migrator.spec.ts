import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PostgresServer } from '../../testing/cluster/postgres.server.js';
import { claimRun, newRun } from '../../testing/storage/storage.samples.js';
import { MIGRATIONS } from './migrations/migrations.js';
import { PostgresDatabase } from './postgres.database.js';
import { migrate } from './postgres.migrator.js';
import { PostgresStorage } from './postgres.storage.js';
import { schemaName } from './postgres.testing.js';

let server: PostgresServer;

beforeAll(async () => {
  server = await PostgresServer.start();
}, 60_000);

afterAll(() => server?.stop(), 30_000);

async function withSchema<Result>(work: (database: PostgresDatabase) => Promise<Result>): Promise<Result> {
  const database = new PostgresDatabase({
    url: server.url,
    schema: schemaName(),
    poolSize: 10,
    patienceMs: 0,
  });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** The columns, constraints and indexes of a schema, as text. */
async function shapeOf(database: PostgresDatabase): Promise<string[]> {
  const rows = await database.query<{ line: string }>(
    `SELECT format('%s.%s %s %s', table_name, column_name, data_type, is_nullable) AS line
       FROM information_schema.columns WHERE table_schema = $1
     UNION ALL SELECT replace(indexdef, schemaname || '.', '') FROM pg_indexes WHERE schemaname = $1 ORDER BY 1`,
    [database.schema],
  );
  return rows.map(({ line }) => line);
}

describe('migrate', () => {
  it('makes all tables in an empty database, and finds nothing to do a second time', async () => {
    await withSchema(async (database) => {
      expect(await migrate(database)).toBe(MIGRATIONS.length);
      expect(await migrate(database)).toBe(0);
    });
  });

  it('comes to the same tables from every version before', async () => {
    const shapes = await Promise.all(
      MIGRATIONS.map((_, version) =>
        withSchema(async (database) => {
          await migrate(database, version);
          expect(await migrate(database)).toBe(MIGRATIONS.length - version);
          return shapeOf(database);
        }),
      ),
    );
    for (const shape of shapes) expect(shape).toEqual(shapes[0]);
  });

  it('keeps what was stored by the version before', async () => {
    await withSchema(async (database) => {
      const s = database.schema;
      await migrate(database, MIGRATIONS.length - 1);
      await database.query(`
        INSERT INTO ${s}.threads (id, tenant, user_id, title, created_at, updated_at) VALUES ('t1', 'acme', 'alice', '"T"', 1, 1)`);
      await database.query(`
        INSERT INTO ${s}.runs (id, thread_id, agent, tenant, user_id, roles, message_id, status, epoch, lease_until, lease_ms,
          first_seq, last_seq, cancel_requested, created_at, metadata, message)
        VALUES ('r1', 't1', 'assistant', 'acme', 'alice', '[]', 'm1', 'pending', 0, 0, 0, 1, 0, false, 1, '{}', '"Hello?"')`);
      const storage = new PostgresStorage({ url: server.url, schema: s });
      await storage.open();
      expect(await claimRun(storage)).toMatchObject({ id: 'r1', message: 'Hello?' });
      expect(await storage.runs.create(newRun('r2'))).toMatchObject({ outcome: 'created' });
      await storage.close();
    });
  });

  it('is done once by processes that start at the same moment', async () => {
    await withSchema(async (database) => {
      const done = await Promise.all(Array.from({ length: 6 }, () => migrate(database)));
      expect(done.filter((count) => count > 0)).toEqual([MIGRATIONS.length]);
    });
  });

  it('leaves the tables of a newer version alone, and says which version is needed', async () => {
    await withSchema(async (database) => {
      await migrate(database);
      await database.query(`INSERT INTO ${database.schema}.migrations (version) VALUES (99)`);
      await expect(migrate(database)).rejects.toThrow(/newer version \(schema 99/);
    });
  });

  it('needs no right to make tables when there is nothing to do', async () => {
    await withSchema(async (database) => {
      const s = database.schema;
      await migrate(database);
      await database.query(`CREATE ROLE reader_${s} LOGIN PASSWORD 'secret'`);
      await database.query(`GRANT USAGE ON SCHEMA ${s} TO reader_${s}`);
      await database.query(`GRANT ALL ON ALL TABLES IN SCHEMA ${s} TO reader_${s}`);
      const storage = new PostgresStorage({
        url: server.url.replace('postgres:secret', `reader_${s}:secret`),
        schema: s,
      });
      await storage.open();
      expect(await storage.runs.create(newRun('r1'))).toMatchObject({ outcome: 'created' });
      await storage.close();
    });
  });
});
