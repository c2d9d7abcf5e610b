import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { emptyCheckpoint } from '@langchain/langgraph-checkpoint';
import { batchOf, claimRun, endingOf, newRun, ownedRun } from '../../testing/storage/storage.samples.js';
import { SqliteStorage } from './sqlite.storage.js';

const WRITING_PROCESS = fileURLToPath(new URL('./fixtures/writing.process.mjs', import.meta.url));

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

  it('keeps every acknowledged event of a process that was killed in the middle, without a gap', async () => {
    for (const [index, acknowledgements] of [40, 75, 110].entries()) {
      const runId = `r${index}`;
      const acknowledged = await writeAndDie(runId, acknowledgements);
      storage = new SqliteStorage({ directory });
      await storage.open();
      const log = await storage.log.read(runId, 0, 1_000_000);
      expect(log.length).toBeGreaterThanOrEqual(acknowledged);
      expect(log.map(({ seq }) => seq)).toEqual(log.map((_, place) => place + 1));
      const says = log.map(({ event }) => (event.type === 'text-delta' ? event.delta : undefined));
      expect(says).toEqual(log.map(({ seq }) => String(seq)));

      const orphan = await claimRun(storage);
      expect(orphan).toMatchObject({ id: runId, lastSeq: log.length });
      if (orphan) expect(await storage.log.append([endingOf(orphan, log.length)])).toEqual(['appended']);
      await storage.close();
    }
  });

  it('refuses a directory that another process uses, and takes it as soon as that is dead', async () => {
    const child = spawn(process.execPath, [WRITING_PROCESS, directory, 'r1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await expect(storage.open()).rejects.toMatchObject({
      code: 'STORAGE_LOCKED',
      message: expect.stringMatching(/^Another process uses the data directory .* End that process, or give/),
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await storage.open();
    expect(await claimRun(storage)).toMatchObject({ id: 'r1' });
  });

  it('refuses a directory that it has open already', async () => {
    await storage.open();
    await expect(new SqliteStorage({ directory }).open()).rejects.toMatchObject({ code: 'STORAGE_LOCKED' });
    await storage.check();
  });

  it('names a directory that it cannot make, and why', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    await expect(new SqliteStorage({ directory: join(file, 'data') }).open()).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringMatching(/cannot be made \(ENOTDIR\)/),
    });
  });

  it('says that a file is damaged, and does not keep the directory locked', async () => {
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

  it('says that a page in the middle is damaged, and goes on with what is whole', async () => {
    await storage.open();
    const run = await ownedRun(storage, 'r1');
    for (let afterSeq = 0; afterSeq < 2_000; afterSeq += 500) {
      await storage.log.append([batchOf(run, afterSeq, 500)]);
    }
    await storage.close();
    await damagePagesWith(join(directory, 'agent-stream.db'), 'word 1000 ');

    storage = new SqliteStorage({ directory });
    await storage.open();
    await expect(storage.log.read('r1', 0, 10_000)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(await storage.runs.get('r1')).toMatchObject({ id: 'r1' });
  });

  it('refuses data of a newer version instead of guessing', async () => {
    const db = new DatabaseSync(join(directory, 'agent-stream.db'));
    db.exec('PRAGMA user_version = 99');
    db.close();
    await expect(storage.open()).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('newer version (schema 99; this version knows '),
    });
  });

  it('takes over what the first version has written', async () => {
    await storage.open();
    const run = await ownedRun(storage, 'r1');
    await storage.log.append([batchOf(run, 0, 3)]);
    await storage.close();
    const db = new DatabaseSync(join(directory, 'agent-stream.db'));
    db.exec(`
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
  });

  it('sends what one turn asks for as one message, so that events and their checkpoint commit together', async () => {
    await storage.open();
    const run = await ownedRun(storage, 'r1');
    const post = jest.spyOn(Worker.prototype, 'postMessage');
    const appended = storage.log.append([batchOf(run, 0)]);
    const place = { configurable: { thread_id: 't1' } };
    const metadata = { source: 'loop', step: 0, parents: {} } as const;
    const saved = storage.checkpointer.put(place, emptyCheckpoint(), metadata, {});
    const appendedMore = storage.log.append([batchOf(run, 1)]);
    await Promise.all([appended, saved, appendedMore]);
    expect(
      post.mock.calls.map(([calls]) => (calls as { operation: string }[]).map((call) => call.operation)),
    ).toEqual([['append', 'putCheckpoint', 'append']]);
  });

  it('refuses calls before open and after close, and finishes those that were made before close', async () => {
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

  it('fails what is under way, and all that follows, when its worker dies', async () => {
    await storage.open();
    const post = jest.spyOn(Worker.prototype, 'postMessage');
    await storage.check();
    const [worker] = post.mock.contexts as unknown as Worker[];
    const pending = Array.from({ length: 5 }, (_, index) => storage.runs.create(newRun(`r${index}`)));
    await worker?.terminate();
    for (const result of await Promise.allSettled([...pending, storage.check()])) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'STORAGE_FAILED' } });
    }
  });
});

/** Writes nonsense over the pages that hold that text. */
async function damagePagesWith(file: string, text: string): Promise<void> {
  const content = await readFile(file);
  const page = Math.floor(content.indexOf(text) / 4_096);
  expect(page).toBeGreaterThan(0);
  const handle = await open(file, 'r+');
  await handle.write(Buffer.alloc(2 * 4_096, 0xff), 0, 2 * 4_096, (page - 1) * 4_096);
  await handle.close();
}
