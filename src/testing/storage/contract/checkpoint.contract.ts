import type { RunnableConfig } from '@langchain/core/runnables';
import { emptyCheckpoint, uuid6, type Checkpoint } from '@langchain/langgraph-checkpoint';
import { CHECKPOINT_FENCE, type CheckpointFence } from '../../../agents/langgraph/checkpoint-fence.js';
import type { Storage } from '../../../storage/storage.js';
import type { ContractSuite } from '../storage-harness.js';
import { LEASE_MS, claimRun, endRun, ownedRun, toOwnership } from '../storage-samples.js';

const METADATA = { source: 'loop', step: 0, parents: {} } as const;

export function checkpointContract({ describe, test, expect }: ContractSuite): void {
  describe('checkpoints', () => {
    test('accepts checkpoints from the owner of the run that they name', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      const checkpoint = createCheckpoint('mine');
      const saved = await put(storage, checkpoint, toOwnership(run));
      await storage.checkpointer.putWrites(withFence(saved, toOwnership(run)), [['answer', 42]], 'task-1');
      const tuple = await storage.checkpointer.getTuple(saved);
      expect(tuple?.checkpoint).toEqual(checkpoint);
      expect(tuple?.pendingWrites).toEqual([['task-1', 'answer', 42]]);
    });

    test('refuses checkpoints from an owner that was replaced, without a trace', async ({
      storage,
      advance,
    }) => {
      const stale = toOwnership(await ownedRun(storage, 'r1'));
      const saved = await put(storage, createCheckpoint('first'), stale);
      await advance(LEASE_MS);
      await claimRun(storage, 'other');

      await expect(put(storage, createCheckpoint('stale'), stale)).rejects.toThrow();
      const writes = storage.checkpointer.putWrites(withFence(saved, stale), [['answer', 42]], 'task-1');
      await expect(writes).rejects.toThrow();
      const latest = await storage.checkpointer.getTuple(THREAD);
      expect(latest?.checkpoint.channel_values).toEqual({ text: 'first' });
      expect(latest?.pendingWrites).toEqual([]);
    });

    test('shows late checkpoints to the next owner or refuses them during a takeover', async ({
      storage,
      advance,
    }) => {
      const owner = toOwnership(await ownedRun(storage, 'r1'));
      await advance(LEASE_MS);
      const late = put(storage, createCheckpoint('late'), owner).then(
        () => 'late',
        () => undefined,
      );
      // What is in use at this very moment, a storage may pass over.
      while (!(await claimRun(storage, 'other')));
      const seen = await storage.checkpointer.getTuple(THREAD);
      expect(seen?.checkpoint.channel_values['text']).toBe(await late);
    });

    test('refuses checkpoints after the end of their run, and for an unknown run', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      await endRun(storage, run);
      for (const runId of ['r1', 'r2']) {
        await expect(put(storage, createCheckpoint('late'), { runId, epoch: run.epoch })).rejects.toThrow();
      }
      expect(await storage.checkpointer.getTuple(THREAD)).toBeUndefined();
    });

    test('accepts checkpoints without a fence when they name no run', async ({ storage }) => {
      await put(storage, createCheckpoint('free'));
      expect((await storage.checkpointer.getTuple(THREAD))?.checkpoint.channel_values).toEqual({
        text: 'free',
      });
    });

    test('returns the writes of a checkpoint ordered by task path, task and index', async ({ storage }) => {
      const saved = await put(storage, createCheckpoint('state'));
      const { checkpointer } = storage;
      await checkpointer.putWrites(saved, [['x', 'third']], 'task-a', 'path-2');
      await checkpointer.putWrites(saved, [['x', 'second']], 'task-c', 'path-1');
      await checkpointer.putWrites(
        saved,
        [
          ['x', 'first'],
          ['y', 'and next'],
        ],
        'task-b',
        'path-1',
      );
      await checkpointer.putWrites(saved, [['x', 'input']], 'task-z');
      const tuple = await checkpointer.getTuple(saved);
      const values = tuple?.pendingWrites?.map(([, , value]) => value);
      expect(values).toEqual(['input', 'first', 'and next', 'second', 'third']);
    });

    test('deletes the checkpoints of a deleted thread', async ({ storage }) => {
      await put(storage, createCheckpoint('gone'));
      await storage.checkpointer.deleteThread('t1');
      expect(await storage.checkpointer.getTuple(THREAD)).toBeUndefined();
    });
  });
}

const THREAD: RunnableConfig = { configurable: { thread_id: 't1', checkpoint_ns: '' } };

function createCheckpoint(text: string): Checkpoint {
  return { ...emptyCheckpoint(), id: uuid6(0), channel_values: { text }, channel_versions: { text: 1 } };
}

function put(storage: Storage, checkpoint: Checkpoint, fence?: CheckpointFence): Promise<RunnableConfig> {
  return storage.checkpointer.put(
    fence ? withFence(THREAD, fence) : THREAD,
    checkpoint,
    METADATA,
    checkpoint.channel_versions,
  );
}

function withFence(config: RunnableConfig, fence: CheckpointFence): RunnableConfig {
  return { configurable: { ...config.configurable, [CHECKPOINT_FENCE]: fence } };
}
