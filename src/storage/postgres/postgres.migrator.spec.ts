import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { emptyCheckpoint } from '@langchain/langgraph-checkpoint';
import { PostgresServer, type SharedPostgres } from '../../../test/harness/cluster/postgres.server.js';
import { ALICE, BOB, claimRun, newRun, ownedRun, toEnding } from '../../testing/storage/storage-samples.js';
import { branches } from './migrations/0020-branches.js';
import { continuedRuns } from './migrations/0024-continued-runs.js';
import { delayedRuns } from './migrations/0028-delayed-runs.js';
import { objects } from './migrations/0035-objects.js';
import { uploads } from './migrations/0030-uploads.js';
import { runWords } from './migrations/0032-run-words.js';
import { MIGRATIONS } from './migrations/migrations.js';
import { PostgresDatabase, type DatabaseOptions } from './postgres.database.js';
import { migrate } from './postgres.migrator.js';
import { PostgresStorage } from './postgres.storage.js';
import { schemaName } from './postgres.testing.js';

let server: SharedPostgres;

beforeAll(async () => {
  server = await PostgresServer.shared();
});

afterAll(() => server?.stop());

async function withSchema<Result>(
  work: (database: PostgresDatabase) => Promise<Result>,
  options: Partial<DatabaseOptions> = {},
): Promise<Result> {
  const database = new PostgresDatabase({
    url: server.url,
    schema: schemaName(),
    poolSize: 10,
    patienceMs: 0,
    ...options,
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

/** Stores a pending run as the versions before have done. */
async function insertRun(database: PostgresDatabase): Promise<void> {
  const s = database.schema;
  await database.query(`
    INSERT INTO ${s}.threads (id, tenant, user_id, title, created_at, updated_at) VALUES ('t1', 'acme', 'alice', '"T"', 1, 1)`);
  await database.query(`
    INSERT INTO ${s}.runs (id, thread_id, agent, tenant, user_id, roles, message_id, status, epoch, lease_until, lease_ms,
      first_seq, last_seq, cancel_requested, created_at, metadata, message)
    VALUES ('r1', 't1', 'assistant', 'acme', 'alice', '[]', 'm1', 'pending', 0, 0, 0, 1, 0, false, 1, '{}', '"Hello?"')`);
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
      await insertRun(database);
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

  it.each([
    ['builds indexes', continuedRuns],
    ['changes several tables', branches],
  ])('lets an instance claim a run that has a thread in hand while it %s', async (_, first) => {
    // A deadlock would never be found.
    const url = new URL(server.url);
    url.searchParams.set('options', '-c deadlock_timeout=1h');
    const claimInThread = async (database: PostgresDatabase) => {
      const s = database.schema;
      const version = MIGRATIONS.indexOf(first);
      await migrate(database, version);
      await insertRun(database);
      const isWaiting = async () => {
        const threads = `'${s}.threads'::regclass`;
        const waits = await database.query(
          `SELECT FROM pg_locks WHERE NOT granted AND relation = ${threads}`,
        );
        return waits.length > 0;
      };
      let migration: Promise<number> | undefined;
      const claimed = await database.transactionOnce(async (tx) => {
        await tx.query(`UPDATE ${s}.threads SET updated_at = 2`);
        migration = migrate(database);
        while (!(await isWaiting()));
        return tx.query(`SELECT id FROM ${s}.claim_run('owner', 1000, 1, NULL, '{}', NULL)`);
      });
      expect(claimed).toEqual([{ id: 'r1' }]);
      expect(await migration).toBe(MIGRATIONS.length - version);
    };
    await withSchema(claimInThread, { url: url.href, patienceMs: 10_000 });
  });

  it.each([
    ['delayed runs', delayedRuns, 'runs'],
    ['uploads', uploads, 'blobs'],
    ['objects', objects, 'blobs'],
    ['the search', runWords, 'runs'],
  ])('lets instances read while the migration for %s waits for one of them', async (_, migration, table) => {
    const readBeside = async (database: PostgresDatabase) => {
      const version = MIGRATIONS.indexOf(migration);
      const name = `${database.schema}.${table}`;
      await migrate(database, version);
      let done: Promise<number> | undefined;
      await database.transactionOnce(async (tx) => {
        await tx.query(`SELECT FROM ${name}`);
        done = migrate(database, version + 1);
        const waits = `SELECT FROM pg_locks WHERE NOT granted AND relation = '${name}'::regclass`;
        while ((await tx.query(waits)).length === 0);
        const read = database.queryOnce(`SELECT FROM ${name}`).then(() => true);
        let isRead = false;
        // Statements keep the transaction from being idle, which would end it.
        const patience = performance.now() + 30_000;
        while (!isRead && performance.now() < patience)
          isRead = await Promise.race([read, tx.query('SELECT 1').then(() => false)]);
        expect(isRead).toBe(true);
      });
      expect(await done).toBe(1);
    };
    await withSchema(readBeside, { patienceMs: 10_000 });
  });

  it('removes the words of a thread that an instance of an earlier version deletes', async () => {
    await withSchema(async (database) => {
      const s = database.schema;
      await migrate(database);
      const storage = new PostgresStorage({ url: server.url, schema: s });
      await storage.open();
      for (const id of ['r1', 'r2', 'r3']) {
        const threadId = id === 'r3' ? 'kept' : 'gone';
        const run = await ownedRun(storage, id, { threadId });
        const batch = toEnding(run, 0);
        const said = { owner: ALICE, question: `secret ${id}`, answer: 'told' };
        await storage.log.append([{ ...batch, ...(batch.ending && { ending: { ...batch.ending, said } }) }]);
        await storage.runs.changeThread(ALICE, threadId, { title: `given ${threadId}` });
      }
      const [gone] = await database.query<{ id: string }>(
        `SELECT thread_id AS id FROM ${s}.runs WHERE id = 'r1'`,
      );
      const countWords = async () => (await database.query(`SELECT FROM ${s}.run_words`)).length;
      expect(await countWords()).toBe(5);
      await database.query(`DELETE FROM ${s}.runs WHERE thread_id = $1`, [gone?.id]);
      await database.query(`DELETE FROM ${s}.threads WHERE id = $1`, [gone?.id]);
      const left = await database.query(
        `SELECT ordinal FROM ${s}.runs UNION ALL SELECT -ordinal FROM ${s}.threads ORDER BY 1`,
      );
      expect(await database.query(`SELECT ordinal FROM ${s}.run_words ORDER BY 1`)).toEqual(left);
      expect(left).toHaveLength(2);
      await storage.close();
    });
  });

  it('builds no index over runs in a migration that keeps instances from reading them', async () => {
    await withSchema(async (database) => {
      const s = database.schema;
      const first = MIGRATIONS.indexOf(branches);
      await migrate(database, first);
      const listIndexes = `SELECT indexname FROM pg_indexes WHERE schemaname = '${s}' AND tablename = 'runs'`;
      for (const migration of MIGRATIONS.slice(first)) {
        const [isLocked, built] = await database.transactionOnce(async (tx) => {
          const before = await tx.query(listIndexes);
          await tx.query(migration(s));
          const locks = await tx.query(
            `SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND relation = '${s}.runs'::regclass AND mode = 'AccessExclusiveLock'`,
          );
          return [locks.length > 0, (await tx.query(listIndexes)).length - before.length] as const;
        });
        expect([migration.name, isLocked && built > 0]).toEqual([migration.name, false]);
      }
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
