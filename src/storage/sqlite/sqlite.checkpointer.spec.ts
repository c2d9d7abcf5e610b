import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RunnableConfig } from '@langchain/core/runnables';
import { emptyCheckpoint, uuid6, type CheckpointMetadata } from '@langchain/langgraph-checkpoint';
import { deltaChannelHistoryTests, specTest } from '@langchain/langgraph-checkpoint-validation';
import { SqliteStorage } from './sqlite.storage.js';
import type { SqliteCheckpointer } from './sqlite.checkpointer.js';

// LangGraph's own suite for checkpointers is written for vitest's globals; of what jest's lack it uses this one only.
Object.assign(expect, { soft: expect });

// The suite exempts, by name, LangGraph's own savers that store whole checkpoints (memory, SQLite, MongoDB) from this one.
// Values shared by version would mix up branches of a thread, which number their versions alike; our promise is stated below.
const EXEMPT = 'should only store channel_values that have changed (based on newVersions)';
const globals = globalThis as unknown as { it: typeof it };
globals.it = Object.assign(
  (...[title, ...rest]: Parameters<typeof it>) => (title === EXEMPT ? it.skip : it)(title, ...rest),
  it,
);

const storages = new Map<SqliteCheckpointer, SqliteStorage>();

async function openCheckpointer(keepCheckpoints?: number | 'all'): Promise<SqliteCheckpointer> {
  const storage = new SqliteStorage({ directory: ':memory:', ...(keepCheckpoints && { keepCheckpoints }) });
  await storage.open();
  storages.set(storage.checkpointer, storage);
  return storage.checkpointer;
}

async function closeCheckpointer(checkpointer: SqliteCheckpointer): Promise<void> {
  await storages.get(checkpointer)?.close();
  storages.delete(checkpointer);
}

const initializer = {
  checkpointerName: 'SqliteCheckpointer',
  createCheckpointer: () => openCheckpointer('all'),
  destroyCheckpointer: closeCheckpointer,
};
specTest(initializer);
deltaChannelHistoryTests(initializer);
globals.it = it;

describe('SqliteCheckpointer', () => {
  let checkpointer: SqliteCheckpointer;

  beforeEach(async () => {
    checkpointer = await openCheckpointer();
  });
  afterEach(() => closeCheckpointer(checkpointer));

  const thread = (id: string, namespace = ''): RunnableConfig => ({
    configurable: { thread_id: id, checkpoint_ns: namespace },
  });

  async function putChain(
    start: RunnableConfig,
    count: number,
    metadata: Partial<CheckpointMetadata> = {},
  ): Promise<RunnableConfig[]> {
    const saved: RunnableConfig[] = [];
    for (let step = 0; step < count; step += 1) {
      const checkpoint = { ...emptyCheckpoint(), id: uuid6(step), channel_values: { step } };
      const facts = { source: 'loop', step, parents: {}, ...metadata } as const;
      saved.push(await checkpointer.put(saved.at(-1) ?? start, checkpoint, facts));
      await checkpointer.putWrites(saved[step] ?? start, [['step', step]], 'task');
    }
    return saved;
  }

  async function stepsOf(config: RunnableConfig): Promise<unknown[]> {
    const steps: unknown[] = [];
    for await (const { checkpoint } of checkpointer.list(config))
      steps.push(checkpoint.channel_values['step']);
    return steps;
  }

  it('keeps the two newest checkpoints of each namespace, with the writes of the newest', async () => {
    const saved = await putChain(thread('t1'), 10);
    await putChain(thread('t1', 'child'), 3);
    await putChain(thread('t2'), 1);
    expect(await stepsOf(thread('t1'))).toEqual([9, 8]);
    expect(await stepsOf(thread('t1', 'child'))).toEqual([2, 1]);
    expect(await stepsOf(thread('t2'))).toEqual([0]);

    const newest = await checkpointer.getTuple(thread('t1'));
    expect(newest?.pendingWrites).toEqual([['task', 'step', 9]]);
    expect(newest?.parentConfig).toEqual(saved[8]);
    expect(await checkpointer.getTuple(saved[7] ?? {})).toBeUndefined();
  });

  it('gives back the whole state, whichever of its channels are new', async () => {
    const checkpoint = { ...emptyCheckpoint(), channel_values: { foo: 'bar', baz: 'qux' } };
    await checkpointer.put(thread('t1'), checkpoint, { source: 'loop', step: 0, parents: {} });
    expect((await checkpointer.getTuple(thread('t1')))?.checkpoint).toEqual(checkpoint);
  });

  it('keeps the ancestors of a checkpoint that is made of deltas', async () => {
    await putChain(thread('t1'), 5, { counters_since_delta_snapshot: { messages: [3, 3] } });
    expect(await stepsOf(thread('t1'))).toEqual([4, 3, 2, 1, 0]);
  });

  it('takes bytes from a graph without taking them away from it', async () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const [saved] = await putChain(thread('t1'), 1);
    await checkpointer.putWrites(saved ?? {}, [['bytes', bytes]], 'task-2');
    expect([...bytes]).toEqual([1, 2, 3]);
    const tuple = await checkpointer.getTuple(thread('t1'));
    const stored = tuple?.pendingWrites?.find(([, channel]) => channel === 'bytes')?.[2];
    expect(Buffer.from(stored as Uint8Array)).toEqual(Buffer.from(bytes));
  });

  it('says what a config lacks', async () => {
    const facts = { source: 'loop', step: 0, parents: {} } as const;
    await expect(checkpointer.put({}, emptyCheckpoint(), facts)).rejects.toThrow('thread_id');
    await expect(checkpointer.putWrites(thread('t1'), [], 'task')).rejects.toThrow('checkpoint_id');
  });
});
