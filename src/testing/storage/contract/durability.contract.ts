import { emptyCheckpoint } from '@langchain/langgraph-checkpoint';
import type { Storage } from '../../../storage/storage.js';
import type { ContractSuite, StorageHarness } from '../storage-harness.js';
import {
  ALICE,
  LEASE_MS,
  toBatch,
  begunRun,
  claimRun,
  endRun,
  newRun,
  ownedRun,
  claimedRun,
  toOwnership,
} from '../storage-samples.js';

export function durabilityContract({ describe, test, expect }: ContractSuite): void {
  describe('a storage after a restart', () => {
    test('has the same runs, threads and logs after a restart', async (harness) => {
      const { storage } = harness;
      const ended = await ownedRun(storage, 'r1', { threadId: 't1' });
      await endRun(storage, ended);
      const running = await ownedRun(storage, 'r2', { threadId: 't1' });
      await storage.log.append([toBatch(running, 0, 3)]);
      await storage.runs.create(newRun('r3', { threadId: 't1', whenBusy: 'queue' }));
      const before = await snapshot(storage);
      expect(await snapshot(await reopen(harness))).toEqual(before);
    });

    test('has the same items after a restart', async (harness) => {
      const value = '{"likes":"tea"}';
      const limits = { maxItems: 10, maxBytes: 10_000 };
      const change = { namespace: ['facts'], key: 'drink', value, vectors: [new Float32Array([3, 4])] };
      await harness.storage.items.change(ALICE, [change], limits);
      const { items } = await reopen(harness);
      const query = { prefix: [], vector: new Float32Array([3, 4]), limit: 10, offset: 0 };
      expect(await items.search(ALICE, query)).toMatchObject([{ namespace: ['facts'], key: 'drink', value }]);
    });

    test('finds the run of an idempotency key after a restart', async (harness) => {
      const idempotency = { key: 'k-1', fingerprint: 'f-1' };
      await harness.storage.runs.create(newRun('r1', { idempotency }));
      const storage = await reopen(harness);
      const again = await storage.runs.create(newRun('r2', { idempotency }));
      expect(again).toMatchObject({ outcome: 'existing', run: { id: 'r1' } });
    });

    test('continues with higher epochs after a restart and fences the earlier owner', async (harness) => {
      const old = await ownedRun(harness.storage, 'r1');
      await harness.storage.log.append([toBatch(old, 0, 2)]);
      const storage = await reopen(harness);
      await harness.advance(LEASE_MS);
      const current = await claimedRun(storage);
      expect(current).toMatchObject({ id: 'r1', lastSeq: 2 });
      expect(current.epoch > old.epoch).toBe(true);
      expect(await storage.log.append([toBatch(old, 2)])).toEqual(['fenced']);
    });

    test('has the same checkpoints after a restart', async (harness) => {
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
export function restartContract({ describe, test, expect }: ContractSuite): void {
  describe('a storage for one process after a restart', () => {
    test('lets runs be claimed at once after a restart, without waiting for their leases', async (harness) => {
      await ownedRun(harness.storage, 'r1');
      const storage = await reopen(harness);
      expect(await claimRun(storage)).toMatchObject({ id: 'r1' });
    });

    test('counts the death of an owner at a restart, but not after a release', async (harness) => {
      await ownedRun(harness.storage, 'r1');
      const second = await reopen(harness);
      const run = await claimedRun(second);
      expect(run).toMatchObject({ id: 'r1', deaths: 1 });
      await second.runs.release(toOwnership(run));
      expect(await claimRun(await reopen(harness))).toMatchObject({ id: 'r1', deaths: 1 });
    });

    test('lets a run without events be claimed at once after a restart', async (harness) => {
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
    thread: await storage.runs.getThread(ALICE, 't1'),
    runs: await storage.runs.listRuns(ALICE, 't1', { limit: 10 }),
    logs: [await storage.log.read('r1', 0, 10), await storage.log.read('r2', 0, 10)],
  };
}
