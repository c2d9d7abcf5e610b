import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { emptyCheckpoint } from '@langchain/langgraph-checkpoint';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Run } from '../../runs/run.js';
import { readWholeLog } from '../../runs/read-log.js';
import {
  ALICE,
  toBatch,
  claimRun,
  endRun,
  toEnding,
  ownedRun,
} from '../../testing/storage/storage-samples.js';
import { SqliteStorage } from './sqlite.storage.js';

const MIB = 1024 * 1024;

const FULL = {
  code: 'STORAGE_FAILED',
  message: expect.stringMatching(/is full\. Free some space; nothing that was acknowledged is lost\./),
};

describe('SqliteStorage on a full disk', () => {
  let directory: string;
  let storage: SqliteStorage;
  let lastSeq: number;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sqlite-full-'));
  });
  afterEach(async () => {
    await storage.close();
    await rm(directory, { recursive: true });
  });

  async function openWith(maxFileBytes?: number): Promise<void> {
    storage = new SqliteStorage({ directory, ...(maxFileBytes && { maxFileBytes }) });
    await storage.open();
  }

  /** Appends to a run until there is no more room. */
  async function fill(run: Run): Promise<never> {
    for (lastSeq = 0; ; lastSeq += 2_000) await storage.log.append([toBatch(run, lastSeq, 2_000)]);
  }

  it('refuses writes on a full disk, fails its check until there is room, and loses nothing', async () => {
    await openWith(3 * MIB);
    await endRun(storage, await ownedRun(storage, 'old', { threadId: 'old' }));
    const run = await ownedRun(storage, 'r1');
    await expect(fill(run)).rejects.toMatchObject(FULL);
    await expect(storage.check()).rejects.toMatchObject(FULL);
    await expect(storage.check()).rejects.toMatchObject(FULL);
    const log = await readWholeLog(storage.log, 'r1');
    expect(log.length).toBe(lastSeq);
    expect(log.at(-1)?.seq).toBe(lastSeq);
    await storage.close();

    await openWith();
    await storage.check();
    expect(await claimRun(storage)).toMatchObject({ id: 'r1', lastSeq });
  });

  it("passes the storage's check again in the same process when deleted data makes room", async () => {
    await openWith(4 * MIB);
    const run = await ownedRun(storage, 'r1');
    await storage.log.append([toBatch(run, 0, 20_000)]);
    await storage.log.append([toEnding(run, 20_000)]);
    const other = await ownedRun(storage, 'r2');
    await expect(fill(other)).rejects.toMatchObject(FULL);
    await expect(storage.check()).rejects.toMatchObject(FULL);
    await storage.retention.deleteIdleThreads({ unchangedSince: Date.now() + 1, limit: 1 });
    await storage.check();
    expect(await storage.log.append([toBatch(other, lastSeq, 5)])).toEqual(['appended']);
  });

  it('returns the space of deleted data to the file system piece by piece', async () => {
    await openWith();
    const readSize = async () => (await stat(join(directory, 'agent-stream.db'))).size;
    for (const id of ['r1', 'r2']) {
      const run = await ownedRun(storage, id);
      await storage.log.append([toBatch(run, 0, 100_000), toEnding(run, 100_000)]);
    }
    await storage.close();
    await openWith();
    const before = await readSize();
    await storage.runs.deleteThread(ALICE, 'thread-of-r1');
    let pieces = 0;
    while (await storage.retention.shrink()) pieces += 1;
    expect(pieces).toBeGreaterThan(1);
    await storage.close();
    // What is left free is for the next runs.
    expect(before - (await readSize())).toBeGreaterThan(pieces * MIB * 0.9);
    await openWith();
    expect(await storage.log.read('r2', 99_999, 10)).toHaveLength(2);
  });

  it('deletes a thread together with its checkpoints', async () => {
    await openWith();
    const run = await ownedRun(storage, 'r1', { threadId: 't1' });
    await endRun(storage, run);
    const config = { configurable: { thread_id: run.threadKey } };
    const state = { channel_values: { text: 'said' }, channel_versions: { text: 1 } };
    const checkpoint = { ...emptyCheckpoint(), ...state };
    await storage.checkpointer.put(config, checkpoint, { source: 'loop', step: 0, parents: {} }, { text: 1 });
    expect(await storage.checkpointer.getTuple(config)).toBeDefined();
    await storage.retention.deleteIdleThreads({ unchangedSince: Date.now() + 1, limit: 1 });
    expect(await storage.checkpointer.getTuple(config)).toBeUndefined();
  });
});
