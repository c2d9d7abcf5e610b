import { describe, expect, it } from '@jest/globals';
import { Annotation, END, START, StateGraph } from '@langchain/langgraph';
import { claimedRun, newRun, toOwnership } from '../../testing/storage/storage-samples.js';
import { CHECKPOINT_FENCE, CheckpointFencedError, type CheckpointFence } from './checkpoint-fence.js';
import { MemoryStorage } from '../../storage/memory/memory.storage.js';
import { SqliteStorage } from '../../storage/sqlite/sqlite.storage.js';
import type { Storage } from '../../storage/storage.js';

const State = Annotation.Root({
  words: Annotation<string[]>({ reducer: (a, b) => [...a, ...b], default: () => [] }),
});

/** Two steps; `between` runs inside the second. */
function twoSteps(storage: Storage, between: () => Promise<void>) {
  return new StateGraph(State)
    .addNode('first', () => ({ words: ['first'] }))
    .addNode('second', async () => {
      await between();
      return { words: ['second'] };
    })
    .addEdge(START, 'first')
    .addEdge('first', 'second')
    .addEdge('second', END)
    .compile({ checkpointer: storage.checkpointer });
}

function toConfig(fence: CheckpointFence) {
  return { configurable: { thread_id: 't1', [CHECKPOINT_FENCE]: fence }, durability: 'sync' as const };
}

const STORAGES: [string, (clock: () => number) => Storage][] = [
  ['MemoryStorage', (clock) => new MemoryStorage({ clock })],
  ['SqliteStorage', (clock) => new SqliteStorage({ directory: ':memory:', clock })],
];

describe.each(STORAGES)('a graph with a checkpoint fence on %s', (_name, makeStorage) => {
  it('stops a graph at its next checkpoint once its run has a new owner, who continues from the last valid one', async () => {
    let now = 0;
    const storage = makeStorage(() => now);
    await storage.open();
    await storage.runs.create(newRun('r1'));
    const first = toOwnership(await claimedRun(storage));
    let second = first;

    const zombie = twoSteps(storage, async () => {
      now += 60_000;
      second = toOwnership(await claimedRun(storage, 'other'));
    });
    const stale = zombie.invoke({ words: ['input'] }, toConfig(first));
    await expect(stale).rejects.toThrow(CheckpointFencedError);

    const current = toConfig(second);
    const saved = await storage.checkpointer.getTuple(current);
    expect(saved?.checkpoint.channel_values['words']).toEqual(['input', 'first']);
    expect(JSON.stringify(saved?.metadata)).not.toContain('fence');

    const successor = twoSteps(storage, async () => undefined);
    const state = await successor.invoke(null, current);
    expect(state.words).toEqual(['input', 'first', 'second']);
    await storage.close();
  });
});
