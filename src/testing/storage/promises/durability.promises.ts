import { emptyCheckpoint } from '@langchain/langgraph-checkpoint';
import type { Storage } from '../../../storage/storage.js';
import type { PromiseSuite, StorageHarness } from '../storage.harness.js';
import {
  LEASE_MS,
  batchOf,
  begunRun,
  claimRun,
  endRun,
  newRun,
  ownedRun,
  claimedRun,
} from '../storage.samples.js';

export function durabilityPromises({ describe, promise, expect }: PromiseSuite): void {
  describe('after a restart', () => {
    promise('runs, threads and logs are what they were', async (harness) => {
      const { storage } = harness;
      const ended = await ownedRun(storage, 'r1', { threadId: 't1' });
      await endRun(storage, ended);
      const running = await ownedRun(storage, 'r2', { threadId: 't1' });
      await storage.log.append([batchOf(running, 0, 3)]);
      await storage.runs.create(newRun('r3', { threadId: 't1', whenBusy: 'queue' }));
      const before = await snapshot(storage);
      expect(await snapshot(await reopen(harness))).toEqual(before);
    });

    promise('an idempotency key still names its run', async (harness) => {
      const idempotency = { key: 'k-1', fingerprint: 'f-1' };
      await harness.storage.runs.create(newRun('r1', { idempotency }));
      const storage = await reopen(harness);
      const again = await storage.runs.create(newRun('r2', { idempotency }));
      expect(again).toMatchObject({ outcome: 'existing', run: { id: 'r1' } });
    });

    promise('epochs go on where they were, and the owner of before is fenced', async (harness) => {
      const old = await ownedRun(harness.storage, 'r1');
      await harness.storage.log.append([batchOf(old, 0, 2)]);
      const storage = await reopen(harness);
      await harness.advance(LEASE_MS);
      const current = await claimedRun(storage);
      expect(current).toMatchObject({ id: 'r1', lastSeq: 2 });
      expect(current.epoch > old.epoch).toBe(true);
      expect(await storage.log.append([batchOf(old, 2)])).toEqual(['fenced']);
    });

    promise('checkpoints are what they were', async (harness) => {
      const config = { configurable: { thread_id: 't1', checkpoint_ns: '' } };
      const checkpoint = {
        ...emptyCheckpoint(),
        channel_values: { text: 'kept' },
        channel_versions: { text: 1 },
      };
      const metadata = { source: 'loop', step: 0, parents: {} } as const;
      const saved = await harness.storage.checkpointer.put(config, checkpoint, metadata, { text: 1 });
      await harness.storage.checkpointer.putWrites(saved, [['answer', 42]], 'task-1');
      const storage = await reopen(harness);
      const tuple = await storage.checkpointer.getTuple(config);
      expect(tuple?.checkpoint).toEqual(checkpoint);
      expect(tuple?.pendingWrites).toEqual([['task-1', 'answer', 42]]);
    });
  });
}

/** For storages that one process has for itself. */
export function restartPromises({ describe, promise, expect }: PromiseSuite): void {
  describe('after a restart of the only process', () => {
    promise('its runs are claimed at once, without waiting for their leases', async (harness) => {
      await ownedRun(harness.storage, 'r1');
      const storage = await reopen(harness);
      expect(await claimRun(storage)).toMatchObject({ id: 'r1' });
    });

    promise('a run that was begun where it was asked for, and said nothing yet, is too', async (harness) => {
      const { epoch } = await begunRun(harness.storage, 'r1');
      const storage = await reopen(harness);
      const next = await claimedRun(storage);
      expect(next).toMatchObject({ id: 'r1', lastSeq: 0 });
      expect(next.epoch > epoch).toBe(true);
    });
  });
}

function reopen(harness: StorageHarness): Promise<Storage> {
  if (!harness.reopen) throw new Error('A durable storage needs a harness with reopen().');
  return harness.reopen();
}

async function snapshot(storage: Storage): Promise<unknown> {
  return {
    thread: await storage.runs.getThread('t1'),
    runs: await storage.runs.listRuns('t1', { limit: 10 }),
    logs: [await storage.log.read('r1', 0, 10), await storage.log.read('r2', 0, 10)],
  };
}
