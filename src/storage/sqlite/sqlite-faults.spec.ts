import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { emptyCheckpoint } from '@langchain/langgraph-checkpoint';
import { readWholeLog } from '../../runs/read-log.js';
import {
  ALICE,
  BOB,
  endRun,
  toBatch,
  claimRun,
  toEnding,
  LEASE_MS,
  newRun,
  OWNER,
  ownedRun,
  toOwnership,
} from '../../testing/storage/storage-samples.js';
import { toCreateRun } from './run-creation.js';
import { SqliteClient } from './sqlite.client.js';
import { SqliteStorage } from './sqlite.storage.js';
import type { Call } from './worker/protocol.js';

// That a worker died is logged, and not what is tested.
Logger.overrideLogger(false);

const WRITING_PROCESS = fileURLToPath(new URL('./fixtures/writing.process.mjs', import.meta.url));
const DYING_PROCESS = fileURLToPath(new URL('./fixtures/dying.process.mjs', import.meta.url));

describe('SqliteStorage', () => {
  let directory: string;
  let storage: SqliteStorage;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sqlite-faults-'));
    storage = new SqliteStorage({ directory });
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await storage.close();
    await rm(directory, { recursive: true });
  });

  /** Starts a process that writes to the directory, kills it after so many acknowledgements, and gives the last of them. */
  async function writeAndDie(runId: string, acknowledgements: number): Promise<number> {
    const child = spawn(process.execPath, [WRITING_PROCESS, directory, runId], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    let count = 0;
    let last = 'nothing';
    for await (const line of createInterface({ input: child.stdout })) {
      last = line;
      count += 1;
      if (count === acknowledgements) child.kill('SIGKILL');
    }
    expect(await exited).toEqual([null, 'SIGKILL']);
    return Number(last);
  }

  it('keeps every acknowledged event without gaps when its process is killed', async () => {
    for (const [index, acknowledgements] of [40, 75, 110].entries()) {
      const runId = `r${index}`;
      const acknowledged = await writeAndDie(runId, acknowledgements);
      storage = new SqliteStorage({ directory });
      await storage.open();
      const log = await readWholeLog(storage.log, runId);
      expect(log.length).toBeGreaterThanOrEqual(acknowledged);
      expect(log.map(({ seq }) => seq)).toEqual(log.map((_, place) => place + 1));
      const says = log.map(({ event }) => (event.type === 'text-delta' ? event.delta : undefined));
      expect(says).toEqual(log.map(({ seq }) => String(seq)));

      const orphan = await claimRun(storage);
      expect(orphan).toMatchObject({ id: runId, lastSeq: log.length });
      if (orphan) expect(await storage.log.append([toEnding(orphan, log.length)])).toEqual(['appended']);
      await storage.close();
    }
  });

  it.each([
    ['its owner deletes', 'deleteThread', { tenant: 'acme', userId: 'alice', threadId: 't1' }],
    ['retention removes', 'deleteIdleThreads', { unchangedSince: Number.MAX_SAFE_INTEGER, limit: 1 }],
  ])(
    'keeps all of a thread that %s, or nothing, when the process is killed at any statement',
    async (_, operation, input) => {
      await storage.open();
      const run = await ownedRun(storage, 'r1', { threadId: 't1' });
      const memory = { configurable: { thread_id: run.threadKey, checkpoint_ns: '' } };
      const state = { ...emptyCheckpoint(), channel_values: { text: 'x' }, channel_versions: { text: 1 } };
      const metadata = { source: 'loop', step: 0, parents: {} } as const;
      const saved = await storage.checkpointer.put(memory, state, metadata, { text: 1 });
      await storage.checkpointer.putWrites(saved, [['text', 'x']], 'task');
      const { ending, ...batch } = toEnding(run, 0);
      const said = { owner: ALICE, question: run.message, answer: '' };
      await storage.log.append([{ ...batch, ending: { ...ending!, said } }]);
      await storage.close();
      const rows = () => {
        const db = new DatabaseSync(join(directory, 'agent-stream.db'));
        const tables = [
          'threads',
          'runs',
          'batches',
          'checkpoints',
          'checkpoint_values',
          'checkpoint_writes',
          'run_words',
        ];
        const counts = tables.map(
          (table) => db.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.['rows'],
        );
        db.close();
        return counts;
      };

      let deaths = 0;
      for (; ; deaths += 1) {
        const call = JSON.stringify({ operation, input });
        const child = spawn(process.execPath, [DYING_PROCESS, directory, String(deaths), call], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const [[code, signal], said] = await Promise.all([once(child, 'exit'), text(child.stdout)]);
        if (said === 'removed') break;
        expect([code, signal]).toEqual([null, 'SIGKILL']);
        expect(rows()).toEqual([1, 1, 1, 1, 1, 1, 1]);
      }
      expect(deaths).toBeGreaterThanOrEqual(9);
      expect(rows()).toEqual([0, 0, 0, 0, 0, 0, 0]);
    },
  );

  it('refuses a directory that another process uses, and opens it once that process is dead', async () => {
    const child = spawn(process.execPath, [WRITING_PROCESS, directory, 'r1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await expect(storage.open()).rejects.toMatchObject({
      code: 'STORAGE_LOCKED',
      message: expect.stringMatching(/^The data directory .* is in use, .* End that process, or take/),
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await storage.open();
    expect(await claimRun(storage)).toMatchObject({ id: 'r1' });
  });

  it('refuses a directory that is already open in this process', async () => {
    await storage.open();
    await expect(new SqliteStorage({ directory }).open()).rejects.toMatchObject({ code: 'STORAGE_LOCKED' });
    await storage.check();
  });

  it('names a data directory that it cannot create, and the reason', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    await expect(new SqliteStorage({ directory: join(file, 'data') }).open()).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringMatching(/cannot be made \(ENOTDIR\)/),
    });
  });

  it('reports a damaged database file and does not leave the directory locked', async () => {
    const file = join(directory, 'agent-stream.db');
    await writeFile(file, 'This is not a database. '.repeat(1_000));
    await expect(storage.open()).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('damaged'),
      cause: expect.objectContaining({ message: expect.stringContaining('not a database') }),
    });
    await rm(file);
    await storage.open();
  });

  it('reports a damaged page and still serves undamaged data', async () => {
    await storage.open();
    const run = await ownedRun(storage, 'r1');
    for (let afterSeq = 0; afterSeq < 2_000; afterSeq += 500) {
      await storage.log.append([toBatch(run, afterSeq, 500)]);
    }
    await storage.close();
    await damagePagesWith(join(directory, 'agent-stream.db'), 'word 1000 ');

    storage = new SqliteStorage({ directory });
    await storage.open();
    await expect(readWholeLog(storage.log, 'r1')).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(await storage.runs.get('r1')).toMatchObject({ id: 'r1' });
  });

  it('refuses data of a newer version', async () => {
    const db = new DatabaseSync(join(directory, 'agent-stream.db'));
    db.exec('PRAGMA user_version = 99');
    db.close();
    await expect(storage.open()).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('newer version (schema 99; this version knows '),
    });
  });

  it('migrates data that the first version has written', async () => {
    await storage.open();
    const run = await ownedRun(storage, 'r1', { threadId: 't1' });
    await storage.log.append([toBatch(run, 0, 3)]);
    await endRun(storage, await ownedRun(storage, 'r0', { principal: BOB }));
    // There, what is remembered of a thread was filed under its id.
    const memory = { configurable: { thread_id: 't1', checkpoint_ns: '' } };
    const metadata = { source: 'loop', step: 0, parents: {} } as const;
    await storage.checkpointer.put(memory, emptyCheckpoint(), metadata, {});
    await storage.close();
    const db = new DatabaseSync(join(directory, 'agent-stream.db'));
    db.exec(`
      UPDATE threads SET id = name;
      UPDATE runs SET thread_id = thread_name;
      DROP INDEX threads_by_expiry; ALTER TABLE threads DROP COLUMN ttl_ms; ALTER TABLE threads DROP COLUMN ttl_at; DROP INDEX runs_by_feedback;
      DROP INDEX runs_delayed_of_owner;
      DROP INDEX runs_of_tenant_by_feedback;
      ALTER TABLE runs DROP COLUMN messages; ALTER TABLE runs DROP COLUMN message_waits;
      ALTER TABLE runs DROP COLUMN feedback; ALTER TABLE runs DROP COLUMN feedback_at;
      DROP INDEX runs_delayed;
      ALTER TABLE runs DROP COLUMN copy_of;
      ALTER TABLE runs DROP COLUMN not_before;
      DROP INDEX runs_waiting_of_owner;
      DROP INDEX checkpoints_of_runs;
      ALTER TABLE checkpoints DROP COLUMN run_id;
      ALTER TABLE threads DROP COLUMN metadata;
      ALTER TABLE threads DROP COLUMN has_branches;
      ALTER TABLE runs DROP COLUMN parent_id;
      ALTER TABLE runs DROP COLUMN traceparent;
      ALTER TABLE runs DROP COLUMN given;
      ALTER TABLE runs DROP COLUMN deaths;
      DROP INDEX runs_kept;
      ALTER TABLE runs DROP COLUMN kept_bytes;
      DROP INDEX runs_by_turn;
      DROP INDEX runs_of_owner;
      DROP INDEX runs_by_continued;
      DROP INDEX runs_by_cost; DROP INDEX runs_of_tenant_by_cost; DROP INDEX runs_of_owner_by_cost;
      DROP INDEX runs_by_duration; DROP INDEX runs_of_tenant_by_duration; DROP INDEX runs_of_owner_by_duration;
      DROP INDEX runs_of_tenant;
      DROP INDEX runs_of_rare_ends;
      DROP INDEX threads_by_name;
      ALTER TABLE runs DROP COLUMN thread_name;
      ALTER TABLE threads DROP COLUMN name;
      ALTER TABLE threads DROP COLUMN pinned;
      ALTER TABLE threads DROP COLUMN archived;
      ALTER TABLE threads DROP COLUMN read_at;
      DROP TABLE items;
      DROP TABLE blobs;
      DROP TABLE object_notes;
      DROP TABLE assistants;
      DROP TABLE run_words;
      DROP INDEX runs_to_index;
      ALTER TABLE runs DROP COLUMN indexed;
      DROP TABLE spending;
      DROP TABLE shared_state;
      DROP INDEX runs_unended_by_age;
      DROP INDEX runs_awaiting;
      ALTER TABLE runs DROP COLUMN approvals;
      ALTER TABLE runs DROP COLUMN awaiting_until;
      PRAGMA user_version = 1`);
    db.close();

    storage = new SqliteStorage({ directory });
    await storage.open();
    expect(await storage.runs.get('r1')).toMatchObject({ id: 'r1', lastSeq: 3 });
    expect(await storage.runs.listExpired(1)).toEqual([]);
    // Whatever was there before is read.
    expect(await storage.runs.getThread(ALICE, 't1')).not.toHaveProperty('unread');
    // What had ended there is counted, and what had not is none of it.
    expect(await storage.retention.listUsage(10)).toMatchObject([{ owner: { userId: 'bob' } }]);

    // Its thread goes on with what it remembers, and another owner's of that id begins with nothing.
    expect(await storage.runs.listRuns(ALICE, 't1', { limit: 1 })).toMatchObject({ items: [{ id: 'r1' }] });
    const next = newRun('r2', { threadId: 't1', thread: 'existing', whenBusy: 'queue' });
    expect(await storage.runs.create(next)).toMatchObject({ run: { threadId: 't1', threadKey: 't1' } });
    const other = newRun('b1', { threadId: 't1', principal: BOB });
    expect(await storage.runs.create(other)).toMatchObject({ run: { threadId: 't1', threadKey: 'b1' } });
    expect(await storage.checkpointer.getTuple(memory)).toBeDefined();
    await storage.runs.deleteThread(ALICE, 't1');
    expect(await storage.checkpointer.getTuple(memory)).toBeUndefined();
    expect(await storage.runs.getThread(BOB, 't1')).toBeDefined();
  });

  it('sends the calls of one turn as one message, so that events and checkpoint commit together', async () => {
    await storage.open();
    const run = await ownedRun(storage, 'r1');
    const post = jest.spyOn(Worker.prototype, 'postMessage');
    const appended = storage.log.append([toBatch(run, 0)]);
    const place = { configurable: { thread_id: 't1' } };
    const metadata = { source: 'loop', step: 0, parents: {} } as const;
    const saved = storage.checkpointer.put(place, emptyCheckpoint(), metadata, {});
    const appendedMore = storage.log.append([toBatch(run, 1)]);
    await Promise.all([appended, saved, appendedMore]);
    expect(
      post.mock.calls.map(([request]) =>
        (request as { calls: Call[] }).calls.map(({ operation }) => operation),
      ),
    ).toEqual([['append', 'putCheckpoint', 'append']]);
  });

  it('refuses calls before open and after close, and finishes calls made before close', async () => {
    const notOpen = { code: 'STORAGE_FAILED', message: 'The storage is not open.' };
    await expect(storage.check()).rejects.toMatchObject(notOpen);
    await storage.open();
    const created = storage.runs.create(newRun('r1'));
    await Promise.all([storage.close(), storage.close()]);
    expect((await created).outcome).toBe('created');
    const closed = { code: 'STORAGE_FAILED', message: 'The storage is closed.' };
    await expect(storage.runs.get('r1')).rejects.toMatchObject(closed);
    await expect(storage.open()).rejects.toMatchObject(closed);
  });

  /** The worker that has the next calls. */
  async function currentWorker(): Promise<Worker> {
    const post = jest.spyOn(Worker.prototype, 'postMessage');
    await storage.check();
    const worker = post.mock.contexts.at(-1) as Worker;
    post.mockRestore();
    return worker;
  }

  it('repeats calls under way once in a new worker when its worker dies at any moment', async () => {
    await storage.open();
    // Longer than four restarts take on a busy machine.
    const leaseMs = 600_000;
    const run = await ownedRun(storage, 'r0');
    for (let round = 1; round <= 4; round += 1) {
      const worker = await currentWorker();
      const created = storage.runs.create(newRun(`r${round}`, { owner: { ...OWNER, leaseMs } }));
      const appended = storage.log.append([toBatch(run, (round - 1) * 10, 10)]);
      const renewed = storage.runs.renew({ runs: [toOwnership(run)], leaseMs });
      // Before they are sent, while they are made, after they were committed.
      if (round > 1) await new Promise((resolve) => setImmediate(resolve));
      if (round > 2) await once(worker, 'message');
      if (round > 3) await created;
      await worker.terminate();
      expect(await created).toMatchObject({ outcome: 'created', run: { status: 'running' } });
      expect(await appended).toEqual(['appended']);
      expect(await renewed).toMatchObject([{ outcome: 'renewed' }]);
    }
    const log = await readWholeLog(storage.log, 'r0');
    expect(log.map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    // Nobody else has got a run of this process meanwhile.
    expect(await claimRun(storage, 'other')).toBeUndefined();
  });

  it('recognizes a repeated append that was committed, and refuses other events at its position', async () => {
    const client = new SqliteClient({ directory, synchronous: 'NORMAL' });
    await client.open();
    const input = toAppend('r1', 0, 'x');
    const [creation, claim] = creationAndClaim('r1');
    await client.call('createRun', creation);
    await client.call('claimRun', claim);
    expect(await client.call('createRun', { ...creation, isRetry: true })).toMatchObject({
      outcome: 'existing',
    });
    expect(await client.call('append', input)).toEqual(['appended']);
    expect(await client.call('append', input)).toEqual(['fenced']);
    expect(await client.call('append', { ...input, isRetry: true })).toEqual(['appended']);
    expect(await client.call('append', { ...toAppend('r1', 0, 'y'), isRetry: true })).toEqual(['fenced']);
    await client.close();
  });

  it('repeats reads when its worker dies, and fails calls that cannot be repeated as retryable', async () => {
    await storage.open();
    await ownedRun(storage, 'r1');
    const worker = await currentWorker();
    // Whatever it still does, its replies arrive too late.
    worker.removeAllListeners('message');
    const page = storage.log.readPage('r1', 0, 10);
    const claim = claimRun(storage);
    await new Promise((resolve) => setImmediate(resolve));
    void worker.terminate();
    await expect(claim).rejects.toMatchObject({ code: 'STORAGE_FAILED', retryable: true });
    expect(await page).toEqual({ events: [], atTail: true, bytes: 0 });
  });

  it("gives up when workers keep dying, reports it once, and fails the storage's check from then on", async () => {
    await storage.open();
    const reasons: string[] = [];
    storage.onBroken(({ message }) => reasons.push(message));
    for (let deaths = 0; deaths < 5; deaths += 1) await (await currentWorker()).terminate();
    const worker = await currentWorker();
    const pending = storage.runs.create(newRun('r1'));
    await worker.terminate();
    const broken = { code: 'STORAGE_FAILED', message: expect.stringContaining('Restart the process.') };
    await expect(pending).rejects.toMatchObject(broken);
    await expect(storage.check()).rejects.toMatchObject(broken);
    expect(reasons).toEqual([expect.stringContaining('cannot be started again')]);
    await storage.close();
    await new SqliteStorage({ directory }).open();
  });

  it("fails the storage's check at once when an in-memory database dies with its worker", async () => {
    await storage.close();
    storage = new SqliteStorage({ directory: ':memory:' });
    await storage.open();
    await (await currentWorker()).terminate();
    await expect(storage.check()).rejects.toMatchObject({ message: expect.stringContaining('Restart') });
  });

  it('writes before it serves more reads, however many pages are asked for', async () => {
    await storage.open();
    const run = await ownedRun(storage, 'r1');
    const other = await ownedRun(storage, 'r2');
    for (let seq = 0; seq < 4_000; seq += 500) await storage.log.append([toBatch(other, seq, 500)]);
    const settled: string[] = [];
    const noted = (name: string, work: Promise<unknown>) => work.then(() => settled.push(name));
    const pages = Array.from({ length: 200 }, () => noted('page', storage.log.readPage('r2', 0, 1_000)));
    await new Promise((resolve) => setImmediate(resolve));
    const append = noted('append', storage.log.append([toBatch(run, 0)]));
    await Promise.all([...pages, append]);
    // Those that the worker had already, at most.
    expect(settled.indexOf('append')).toBeLessThan(10);
  });
});

function toAppend(runId: string, afterSeq: number, frames: string) {
  return { batches: [{ runId, epoch: 1, afterSeq, lastSeq: afterSeq + 1, frames }], now: 1 };
}

function creationAndClaim(id: string) {
  return [toCreateRun(newRun(id), 1), { ownerId: 'owner', leaseMs: LEASE_MS, epochStep: 1, now: 1 }] as const;
}

/** Writes nonsense over the pages that hold that text. */
async function damagePagesWith(file: string, text: string): Promise<void> {
  const content = await readFile(file);
  const page = Math.floor(content.indexOf(text) / 4_096);
  expect(page).toBeGreaterThan(0);
  const handle = await open(file, 'r+');
  await handle.write(Buffer.alloc(2 * 4_096, 0xff), 0, 2 * 4_096, (page - 1) * 4_096);
  await handle.close();
}
