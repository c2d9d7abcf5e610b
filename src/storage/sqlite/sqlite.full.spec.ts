import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { emptyCheckpoint } from '@langchain/langgraph-checkpoint';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Run } from '../../runs/run.js';
import { batchOf, claimRun, endRun, endingOf, ownedRun } from '../../testing/storage/storage.samples.js';
import { SqliteStorage } from './sqlite.storage.js';

const MIB = 1024 * 1024;

const FULL = {
  code: 'STORAGE_FAILED',
  message: expect.stringMatching(/is full\. Free some space; nothing that was acknowledged is lost\./),
};

describe('SqliteStorage with little room', () => {
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
    for (lastSeq = 0; ; lastSeq += 2_000) await storage.log.append([batchOf(run, lastSeq, 2_000)]);
  }

  it('refuses what does not fit, fails its check until there is room again, and loses nothing', async () => {
    await openWith(3 * MIB);
    await endRun(storage, await ownedRun(storage, 'old', { threadId: 'old' }));
    const run = await ownedRun(storage, 'r1');
    await expect(fill(run)).rejects.toMatchObject(FULL);
    await expect(storage.check()).rejects.toMatchObject(FULL);
    await expect(storage.check()).rejects.toMatchObject(FULL);
    const log = await storage.log.read('r1', 0, 1_000_000);
    expect(log.length).toBe(lastSeq);
    expect(log.at(-1)?.seq).toBe(lastSeq);
    await storage.close();

    await openWith();
    await storage.check();
    expect(await claimRun(storage)).toMatchObject({ id: 'r1', lastSeq });
  });

  it('passes its check again in the same process when what was deleted makes room', async () => {
    await openWith(4 * MIB);
    const run = await ownedRun(storage, 'r1');
    await storage.log.append([batchOf(run, 0, 20_000)]);
    await storage.log.append([endingOf(run, 20_000)]);
    const other = await ownedRun(storage, 'r2');
    await expect(fill(other)).rejects.toMatchObject(FULL);
    await expect(storage.check()).rejects.toMatchObject(FULL);
    await storage.retention.deleteIdleThreads({ unchangedSince: Date.now() + 1, limit: 1 });
    await storage.check();
    expect(await storage.log.append([batchOf(other, lastSeq, 5)])).toEqual(['appended']);
  });

  it('gives the space of what was deleted back, a piece at a time', async () => {
    await openWith();
    const sizeOf = async () => (await stat(join(directory, 'agent-stream.db'))).size;
    for (const id of ['r1', 'r2']) {
      const run = await ownedRun(storage, id);
      await storage.log.append([batchOf(run, 0, 100_000), endingOf(run, 100_000)]);
    }
    await storage.close();
    await openWith();
    const before = await sizeOf();
    await storage.runs.deleteThread('thread-of-r1');
    let pieces = 0;
    while (await storage.retention.shrink()) pieces += 1;
    expect(pieces).toBeGreaterThan(1);
    await storage.close();
    // What is left free is for the next runs.
    expect(before - (await sizeOf())).toBeGreaterThan(pieces * MIB * 0.9);
    await openWith();
    expect(await storage.log.read('r2', 99_999, 10)).toHaveLength(2);
  });

  it('removes a thread together with its checkpoints', async () => {
    await openWith();
    await endRun(storage, await ownedRun(storage, 'r1', { threadId: 't1' }));
    const config = { configurable: { thread_id: 't1' } };
    const state = { channel_values: { text: 'said' }, channel_versions: { text: 1 } };
    const checkpoint = { ...emptyCheckpoint(), ...state };
    await storage.checkpointer.put(config, checkpoint, { source: 'loop', step: 0, parents: {} }, { text: 1 });
    expect(await storage.checkpointer.getTuple(config)).toBeDefined();
    await storage.retention.deleteIdleThreads({ unchangedSince: Date.now() + 1, limit: 1 });
    expect(await storage.checkpointer.getTuple(config)).toBeUndefined();
  });
});
