import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { emptyCheckpoint } from '@langchain/langgraph-checkpoint';
import { PostgresServer, type SharedPostgres } from '../../../test/harness/cluster/postgres.server.js';
import { ALICE, BOB, claimRun, newRun } from '../../testing/storage/storage-samples.js';
import { MIGRATIONS } from './migrations/migrations.js';
import { PostgresDatabase } from './postgres.database.js';
import { migrate } from './postgres.migrator.js';
import { PostgresStorage } from './postgres.storage.js';
import { schemaName } from './postgres.testing.js';

let server: SharedPostgres;

beforeAll(async () => {
  server = await PostgresServer.shared();
});

afterAll(() => server?.stop());

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
async function readShape(database: PostgresDatabase): Promise<string[]> {
  const rows = await database.query<{ line: string }>(
    `SELECT format('%s.%s %s %s', table_name, column_name, data_type, is_nullable) AS line
       FROM information_schema.columns WHERE table_schema = $1
     UNION ALL SELECT replace(indexdef, schemaname || '.', '') FROM pg_indexes WHERE schemaname = $1 ORDER BY 1`,
    [database.schema],
  );
  return rows.map(({ line }) => line);
}

describe('migrate', () => {
  it('creates all tables in an empty database and does nothing the second time', async () => {
    await withSchema(async (database) => {
      expect(await migrate(database)).toBe(MIGRATIONS.length);
      expect(await migrate(database)).toBe(0);
    });
  });

  it('migrates every earlier version to the same tables', async () => {
    const shapes = await Promise.all(
      MIGRATIONS.map((_, version) =>
        withSchema(async (database) => {
          await migrate(database, version);
          expect(await migrate(database)).toBe(MIGRATIONS.length - version);
          return readShape(database);
        }),
      ),
    );
    for (const shape of shapes) expect(shape).toEqual(shapes[0]);
  });

  it('keeps the data that the version before has stored', async () => {
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

      // Its thread goes on under its id, and with what was filed under that; another owner's of that id begins with nothing.
      const memory = { configurable: { thread_id: 't1', checkpoint_ns: '' } };
      const metadata = { source: 'loop', step: 0, parents: {} } as const;
      await storage.checkpointer.put(memory, emptyCheckpoint(), metadata, {});
      const next = newRun('r3', { threadId: 't1', thread: 'existing', whenBusy: 'queue' });
      expect(await storage.runs.create(next)).toMatchObject({ run: { threadId: 't1', threadKey: 't1' } });
      const other = newRun('b1', { threadId: 't1', principal: BOB });
      expect(await storage.runs.create(other)).toMatchObject({ run: { threadId: 't1', threadKey: 'b1' } });
      await storage.runs.deleteThread(ALICE, 't1');
      expect(await storage.checkpointer.getTuple(memory)).toBeUndefined();
      expect(await storage.runs.getThread(BOB, 't1')).toMatchObject({ activeRunId: 'b1' });
      await storage.close();
    });
  });

  it('migrates once when several processes start at the same moment', async () => {
    await withSchema(async (database) => {
      const done = await Promise.all(Array.from({ length: 6 }, () => migrate(database)));
      expect(done.filter((count) => count > 0)).toEqual([MIGRATIONS.length]);
    });
  });

  it('leaves the tables of a newer version unchanged and says which version is needed', async () => {
    await withSchema(async (database) => {
      await migrate(database);
      await database.query(`INSERT INTO ${database.schema}.migrations (version) VALUES (99)`);
      await expect(migrate(database)).rejects.toThrow(/newer version \(schema 99/);
    });
  });

  it('needs no right to create tables when there is nothing to migrate', async () => {
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
