import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { emptyCheckpoint, uuid6 } from '@langchain/langgraph-checkpoint';
import { Client } from 'pg';
import type { Run } from '../../runs/run.js';
import type { CreateResult } from '../../runs/run.store.js';
import { PostgresServer } from '../../../test/harness/cluster/postgres.server.js';
import {
  ALICE,
  LEASE_MS,
  OWNER,
  toBatch,
  claimRun,
  toEnding,
  newRun,
  ownedRun,
  toOwnership,
} from '../../testing/storage/storage-samples.js';
import { ConnectionCutter } from './connection-cutter.testing.js';
import { isPassing } from './postgres.errors.js';
import { inTransaction } from './postgres.database.js';
import { advanceClock, schemaName, stopClock, tablesWith } from './postgres.testing.js';
import type { PostgresStorageOptions } from './postgres-storage.options.js';
import { PostgresStorage } from './postgres.storage.js';
import { createRun } from './run-creation.js';

let server: PostgresServer;
const opened: PostgresStorage[] = [];
const cutters: ConnectionCutter[] = [];

beforeAll(async () => {
  server = await PostgresServer.start();
});

afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close();
  for (const cutter of cutters.splice(0)) await cutter.close();
});

afterAll(() => server?.stop());

async function open(options: Partial<PostgresStorageOptions> = {}): Promise<PostgresStorage> {
  const storage = new PostgresStorage({
    url: server.url,
    listenUrl: server.url,
    schema: schemaName(),
    ...options,
  });
  opened.push(storage);
  await storage.open();
  return storage;
}

/** A storage whose every connection but the one for hints can be cut, and one beside it that sees the same data. */
async function openWithCutter(options: Partial<PostgresStorageOptions> = {}): Promise<{
  storage: PostgresStorage;
  beside: PostgresStorage;
  cutter: ConnectionCutter;
}> {
  const cutter = await ConnectionCutter.listen(server.port);
  cutters.push(cutter);
  const schema = schemaName();
  const url = `postgres://postgres:secret@127.0.0.1:${cutter.port}/postgres`;
  const storage = await open({ url, schema, ...options });
  const beside = await open({ schema });
  return { storage, beside, cutter };
}

describe('PostgresStorage beside a stopped process', () => {
  it('waits for the row locks of a stopped process no longer than a lease, then aborts its transaction', async () => {
    const schema = schemaName();
    const storage = await open({ schema });
    await ownedRun(storage, 'r1');
    const frozen = new Client({ connectionString: server.url });
    frozen.on('error', () => undefined);
    await frozen.connect();
    const [held, thawed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const transaction = inTransaction(frozen, async (tx) => {
      await tx.query(`SELECT 1 FROM ${schema}.runs FOR UPDATE`);
      held.resolve();
      await thawed.promise;
      return tx.query('SELECT 1');
    }).catch((error: unknown) => error);
    await held.promise;
    expect(await storage.runs.requestCancel('r1')).toMatchObject({ cancelRequested: true });
    thawed.resolve();
    expect(isPassing(await transaction)).toBe(true);
    await frozen.end().catch(() => undefined);
  });
});

describe('PostgresStorage with broken connections', () => {
  it('appends a batch once when the acknowledgement of its commit is lost', async () => {
    const { storage, cutter } = await openWithCutter();
    const run = await ownedRun(storage, 'r1');
    await storage.log.append([toBatch(run, 0)]);
    cutter.loseReplyAfterCommit('SELECT');
    expect(await storage.log.append([toBatch(run, 1, 3)])).toEqual(['appended']);
    expect(cutter.cuts).toBe(1);
    expect((await storage.log.read('r1', 0, 10)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(await storage.log.append([toBatch(run, 4)])).toEqual(['appended']);
  });

  it.each<[string, number, (cutter: ConnectionCutter) => void]>([
    ['the acknowledgement of it is lost', 1, (cutter) => cutter.loseReplyAfterCommit('INSERT')],
    ['it does not get to the database', 0, (cutter) => cutter.loseNextRequest()],
  ])('charges usage outside of runs at most once when %s', async (_, times, disturb) => {
    const { storage, beside, cutter } = await openWithCutter();
    const usage = { inputTokens: 2, outputTokens: 1, totalTokens: 3 };
    await storage.runs.get('r1');
    disturb(cutter);
    const charging = storage.runs.chargeUsage({ owner: ALICE, agent: 'assistant', usage });
    await expect(charging).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(cutter.cuts).toBe(1);
    expect(await beside.runs.listSpending({ by: [], limit: 1 })).toEqual(
      Array.from({ length: times }, () => ({ runs: 0, usage })),
    );
  });

  it('ends a run once when the acknowledgement of its end is lost', async () => {
    const { storage, cutter } = await openWithCutter();
    const run = await ownedRun(storage, 'r1');
    cutter.loseReplyAfterCommit('SELECT');
    expect(await storage.log.append([toEnding(run, 0)])).toEqual(['appended']);
    expect(cutter.cuts).toBe(1);
    expect(await storage.runs.get('r1')).toMatchObject({ status: 'completed', lastSeq: 1 });
  });

  it('appends a batch again that did not reach the database', async () => {
    const { storage, cutter } = await openWithCutter();
    const run = await ownedRun(storage, 'r1');
    await storage.log.append([toBatch(run, 0)]);
    cutter.loseNextRequest();
    expect(await storage.log.append([toBatch(run, 1, 2)])).toEqual(['appended']);
    expect(cutter.cuts).toBe(1);
    expect(await storage.log.read('r1', 0, 10)).toHaveLength(3);
  });

  it('recognizes its committed events when another owner has gone on, and is fenced afterwards', async () => {
    const { storage, beside, cutter } = await openWithCutter();
    await stopClock(beside.database);
    const run = await ownedRun(storage, 'r1');
    await storage.log.append([toBatch(run, 0)]);
    cutter.loseReplyAfterCommit('SELECT', { thenRefuse: true });
    const appending = storage.log.append([toBatch(run, 1, 2)]);
    await cutter.cut;
    await advanceClock(beside.database, LEASE_MS);
    const other = await claimRun(beside, 'other');
    expect(other).toMatchObject({ id: 'r1', lastSeq: 3 });
    if (other) await beside.log.append([toBatch(other, 3)]);
    cutter.accept();
    expect(await appending).toEqual(['appended']);
    expect(await storage.log.append([toBatch(run, 3)])).toEqual(['fenced']);
    expect((await beside.log.read('r1', 0, 10)).map(({ seq, epoch }) => [seq, epoch])).toEqual([
      [1, run.epoch],
      [2, run.epoch],
      [3, run.epoch],
      [4, other?.epoch],
    ]);
  });

  it('refuses a different batch at a position that the log has already passed', async () => {
    const { storage, beside, cutter } = await openWithCutter();
    const run = await ownedRun(storage, 'r1');
    await beside.log.append([toBatch(run, 0, 2)]);
    cutter.loseNextRequest();
    const other = { ...toEnding(run, 1), ending: toEnding(run, 1).ending! };
    expect(await storage.log.append([other])).toEqual(['fenced']);
    expect(await beside.runs.get('r1')).toMatchObject({ status: 'running', lastSeq: 2 });
  });

  it('starts one run when the acknowledgement of its start is lost', async () => {
    const { storage, beside, cutter } = await openWithCutter();
    cutter.loseReplyAfterCommit('COMMIT');
    const created = await storage.runs.create(newRun('r1', { threadId: 't1' }));
    expect(cutter.cuts).toBe(1);
    expect(created).toMatchObject({ outcome: 'created', run: { id: 'r1' } });
    expect((await beside.runs.listRuns(ALICE, 't1', { limit: 10 })).items).toHaveLength(1);
  });

  it.each([
    ['INSERT', 'new'],
    ['COMMIT', 'any'],
  ] as const)(
    'returns the run that it has begun when the acknowledgement of the %s is lost',
    async (tag, thread) => {
      const { storage, beside, cutter } = await openWithCutter();
      cutter.loseReplyAfterCommit(tag);
      const created = await storage.runs.create(newRun('r1', { threadId: 't1', thread, owner: OWNER }));
      expect(cutter.cuts).toBe(1);
      const run = await beside.runs.get('r1');
      expect(created).toMatchObject({ outcome: 'created', run });
      expect(run?.status).toBe('running');
      expect(await storage.log.append([toBatch(run as Run, 0)])).toEqual(['appended']);
      expect((await beside.runs.listRuns(ALICE, 't1', { limit: 10 })).items).toHaveLength(1);
    },
  );

  it.each([
    ['its owner deletes', ({ runs }: PostgresStorage) => runs.deleteThread(ALICE, 't1')],
    [
      'retention removes',
      ({ retention }: PostgresStorage) =>
        retention.deleteIdleThreads({ unchangedSince: Number.MAX_SAFE_INTEGER, limit: 1 }),
    ],
  ])('keeps all of a thread that %s, or nothing, if its connection dies anywhere', async (_, remove) => {
    const { storage, beside, cutter } = await openWithCutter({ requestPatienceMs: 0 });
    const run = await ownedRun(beside, 'r1', { threadId: 't1' });
    const memory = { configurable: { thread_id: run.threadKey, checkpoint_ns: '' } };
    const state = { ...emptyCheckpoint(), channel_values: { text: 'x' }, channel_versions: { text: 1 } };
    const saved = await beside.checkpointer.put(
      memory,
      state,
      { source: 'loop', step: 0, parents: {} },
      { text: 1 },
    );
    await beside.checkpointer.putWrites(saved, [['text', 'x']], 'task', 'path');
    await beside.log.append([toEnding(run, 0)]);
    const where = await tablesWith(beside.database, run.threadKey);
    expect(where.toSorted()).toEqual([
      'checkpoint_blobs',
      'checkpoint_task_paths',
      'checkpoint_writes',
      'checkpoints',
      'runs',
      'threads',
    ]);

    let deaths = 0;
    for (; ; deaths += 1) {
      // Its connection is there before the counting begins.
      await storage.check();
      cutter.loseNextRequest({ after: deaths });
      const removed = await remove(storage).then(
        () => true,
        () => false,
      );
      cutter.accept();
      if (removed) break;
      expect(await tablesWith(beside.database, run.threadKey)).toEqual(where);
      expect(await beside.log.read('r1', 0, 10)).toHaveLength(1);
      expect(await beside.runs.getThread(ALICE, 't1')).toBeDefined();
    }
    expect(deaths).toBeGreaterThanOrEqual(10);
    expect(await tablesWith(beside.database, run.threadKey)).toEqual([]);
    expect(await beside.database.query(`SELECT * FROM ${beside.database.schema}.batches`)).toEqual([]);
  });

  it('returns the current run when another owner claimed it before its start was acknowledged', async () => {
    const { storage, beside, cutter } = await openWithCutter();
    await stopClock(beside.database);
    cutter.loseReplyAfterCommit('INSERT', { thenRefuse: true });
    const creating = storage.runs.create(newRun('r1', { thread: 'new', owner: OWNER }));
    await cutter.cut;
    await advanceClock(beside.database, LEASE_MS);
    const other = await claimRun(beside, 'other');
    cutter.accept();
    expect(await creating).toEqual({ outcome: 'existing', run: other });
    expect(other).toMatchObject({ id: 'r1', status: 'running' });
  });

  it('starts one run when the lost attempt is still under way at the next one', async () => {
    const storage = await open();
    const { database } = storage;
    const { schema } = database;
    const creation = { run: newRun('r1', { thread: 'new', owner: OWNER }), epoch: 7 };
    let second: Promise<CreateResult> | undefined;
    const first = await database.transaction(async (tx) => {
      const created = await createRun(tx, schema, { ...creation, isRetry: false });
      second = database.statement((db) => createRun(db, schema, { ...creation, isRetry: true }));
      const waits = 'SELECT 1 FROM pg_stat_activity WHERE wait_event_type = $1 AND query LIKE $2';
      while ((await database.query(waits, ['Lock', `%${schema}.runs%`])).length === 0);
      return created;
    });
    expect(first).toMatchObject({ outcome: 'created', run: { epoch: 7 } });
    expect(await second).toEqual(first);
    expect((await storage.runs.listRuns(ALICE, 'thread-of-r1', { limit: 10 })).items).toHaveLength(1);
  });

  it("stores a step's events and checkpoint once and together when their acknowledgement is lost", async () => {
    const { storage, beside, cutter } = await openWithCutter();
    const run = await ownedRun(storage, 'r1');
    const config = { configurable: { thread_id: 't1', checkpoint_ns: '', checkpoint_id: uuid6(0) } };
    cutter.loseReplyAfterCommit('COMMIT');
    const appended = storage.log.append([toBatch(run, 0, 2)]);
    const saved = storage.checkpointer.putWrites(config, [['words', 'said']], 'task-1');
    expect(await appended).toEqual(['appended']);
    await saved;
    expect(cutter.cuts).toBe(1);
    expect(await readXmins(beside)).toHaveLength(1);
    expect(await beside.log.read('r1', 0, 10)).toHaveLength(2);
  });

  it('listens again and wakes all listeners when the connection for hints is cut', async () => {
    const storage = await open();
    const woken = new Promise<void>((resolve) => storage.wakeups.listen('log:r1', resolve));
    await storage.database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = $1 OR query LIKE 'LISTEN %' AND query = $2`,
      [`LISTEN ${storage.database.schema}`, `LISTEN ${storage.database.schema}`],
    );
    await woken;
    const beside = await open({ schema: storage.database.schema });
    const hinted = new Promise<void>((resolve) => storage.wakeups.listen('control:r2', resolve));
    beside.wakeups.notify('control:r2');
    await hinted;
  });
});

describe('PostgresStorage', () => {
  it('stores all writes of one turn in one transaction', async () => {
    const storage = await open();
    const run = await ownedRun(storage, 'r1');
    const config = { configurable: { thread_id: 't1', checkpoint_ns: '', checkpoint_id: uuid6(0) } };
    const appended = storage.log.append([toBatch(run, 0)]);
    const saved = storage.checkpointer.putWrites(config, [['words', 'said']], 'task-1');
    await Promise.all([appended, saved]);
    expect(await readXmins(storage)).toHaveLength(1);
  });

  it('keeps the other writes of a turn when one of them is bad', async () => {
    const storage = await open();
    const run = await ownedRun(storage, 'r1');
    const config = { configurable: { thread_id: 't1', checkpoint_ns: '', checkpoint_id: uuid6(0) } };
    const bad = { configurable: { thread_id: 'no\u0000thread', checkpoint_ns: '', checkpoint_id: uuid6(0) } };
    const results = await Promise.allSettled([
      storage.log.append([toBatch(run, 0)]),
      storage.checkpointer.putWrites(bad, [['words', 'bad']], 'task-1'),
      storage.checkpointer.putWrites(config, [['words', 'good']], 'task-1'),
      storage.log.append([toBatch(run, 1)]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(await storage.log.read('r1', 0, 10)).toHaveLength(2);
  });

  it('loses nothing acknowledged when the database is killed, and continues after its restart', async () => {
    const storage = await open();
    const run = await ownedRun(storage, 'r1');
    const acknowledged: number[] = [];
    let killed: Promise<void> | undefined;
    for (let seq = 0; seq < 200; seq += 1) {
      if (seq === 100) killed = server.kill().then(() => server.restart());
      expect(await storage.log.append([toBatch(run, seq)])).toEqual(['appended']);
      acknowledged.push(seq + 1);
    }
    await killed;
    expect((await storage.log.read('r1', 0, 1_000)).map(({ seq }) => seq)).toEqual(acknowledged);
    expect(await storage.runs.renew({ runs: [toOwnership(run)], leaseMs: LEASE_MS })).toMatchObject([
      { outcome: 'renewed' },
    ]);
  });

  it('says what to set when its own hints do not arrive', async () => {
    const admin = new Client({ connectionString: server.url });
    await admin.connect();
    await admin.query('CREATE DATABASE elsewhere');
    await admin.end();
    // Another database of the same server takes LISTEN and hears nothing, as a pooler in transaction mode does.
    const listenUrl = server.url.replace(/postgres$/, 'elsewhere');
    await expect(open({ listenUrl })).rejects.toThrow(/set listenUrl of PostgresStorage/);
  });

  it('refuses a schema name that would need quoting', () => {
    expect(() => new PostgresStorage({ url: server.url, schema: 'x; DROP TABLE y' })).toThrow(
      /is not a name for a schema/,
    );
  });

  it('keeps the two newest checkpoints of a thread with their values and writes', async () => {
    const storage = await open();
    let config: { configurable: Record<string, unknown> } = {
      configurable: { thread_id: 't1', checkpoint_ns: '' },
    };
    for (let step = 0; step < 6; step += 1) {
      const checkpoint = {
        ...emptyCheckpoint(),
        id: uuid6(step),
        channel_values: { step, fixed: 'same' },
        channel_versions: { step: step + 1, fixed: 1 },
      };
      const versions = { step: step + 1, ...(step === 0 && { fixed: 1 }) };
      config = (await storage.checkpointer.put(
        config,
        checkpoint,
        { source: 'loop', step, parents: {} },
        versions,
      )) as typeof config;
      await storage.checkpointer.putWrites(config, [['step', step]], 'task');
    }
    const rows = await storage.database.query<{ kind: string; count: number }>(`
      SELECT 'checkpoints' AS kind, count(*) FROM ${storage.database.schema}.checkpoints
      UNION ALL SELECT 'blobs', count(*) FROM ${storage.database.schema}.checkpoint_blobs
      UNION ALL SELECT 'writes', count(*) FROM ${storage.database.schema}.checkpoint_writes`);
    expect(Object.fromEntries(rows.map(({ kind, count }) => [kind, count]))).toEqual({
      checkpoints: 2,
      blobs: 3,
      writes: 2,
    });
    const newest = await storage.checkpointer.getTuple(config);
    expect(newest?.checkpoint.channel_values).toEqual({ step: 5, fixed: 'same' });
  });
});

/** The transactions that made the rows of logs and checkpoint writes. */
async function readXmins({ database }: PostgresStorage): Promise<string[]> {
  const rows = await database.query<{ xmin: string }>(`
    SELECT xmin::text FROM ${database.schema}.batches UNION SELECT xmin::text FROM ${database.schema}.checkpoint_writes`);
  return rows.map(({ xmin }) => xmin);
}
