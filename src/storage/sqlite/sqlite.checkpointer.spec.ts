import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RunnableConfig } from '@langchain/core/runnables';
import {
  emptyCheckpoint,
  uuid6,
  type BaseCheckpointSaver,
  type CheckpointMetadata,
} from '@langchain/langgraph-checkpoint';
import { deltaChannelHistoryTests, specTest } from '@langchain/langgraph-checkpoint-validation';
import { KEEPS_STATES } from '../../agents/langgraph/checkpoint-history.js';
import { withRunId } from '../../agents/langgraph/checkpoint-run.js';
import { SqliteStorage } from './sqlite.storage.js';
import type { SqliteCheckpointer } from './sqlite.checkpointer.js';

// LangGraph's own suite for checkpointers is written for vitest's globals; of what jest's lack it uses this one only.
Object.assign(expect, { soft: expect });

const storages = new Map<number | 'all', SqliteStorage>();

/** One storage per setting, because its worker takes longer to start than a test takes; emptied after each test. */
async function openCheckpointer(keepCheckpoints: number | 'all'): Promise<SqliteCheckpointer> {
  const known = storages.get(keepCheckpoints);
  if (known) return known.checkpointer;
  const storage = new SqliteStorage({ directory: ':memory:', keepCheckpoints });
  await storage.open();
  storages.set(keepCheckpoints, storage);
  return storage.checkpointer;
}

async function emptyCheckpointer(checkpointer: BaseCheckpointSaver): Promise<void> {
  for await (const { config } of checkpointer.list({}))
    await checkpointer.deleteThread(String(config.configurable?.['thread_id']));
}

afterAll(() => Promise.all([...storages.values()].map((storage) => storage.close())));

const initializer = {
  checkpointerName: 'SqliteCheckpointer',
  createCheckpointer: () => openCheckpointer('all'),
  destroyCheckpointer: emptyCheckpointer,
};
specTest(initializer);
deltaChannelHistoryTests(initializer);

describe('SqliteCheckpointer', () => {
  let checkpointer: SqliteCheckpointer;

  beforeEach(async () => {
    checkpointer = await openCheckpointer(2);
  });
  afterEach(() => emptyCheckpointer(checkpointer));

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
      const versions = { step: step + 1, same: 1 };
      const checkpoint = {
        ...emptyCheckpoint(),
        id: uuid6(step),
        channel_values: { step, same: 'value' },
        channel_versions: versions,
      };
      const facts = { source: 'loop', step, parents: {}, ...metadata } as const;
      const written = step === 0 ? versions : { step: step + 1 };
      saved.push(await checkpointer.put(saved.at(-1) ?? start, checkpoint, facts, written));
      await checkpointer.putWrites(saved[step] ?? start, [['step', step]], 'task');
    }
    return saved;
  }

  it('keeps each checkpoint of a run that keeps its states, and of the graphs inside only those of the newest', async () => {
    const keep = { [KEEPS_STATES]: true };
    const root = { configurable: { ...thread('t').configurable, ...keep } };
    let before: RunnableConfig = root;
    for (let step = 0; step < 4; step += 1) {
      const facts = withRunId({ source: 'loop', step, parents: {} }, 'r1');
      const checkpoint = { ...emptyCheckpoint(), id: uuid6(step), channel_values: {}, channel_versions: {} };
      const saved = await checkpointer.put(before, checkpoint, facts, {});
      before = { configurable: { ...saved.configurable, ...keep } };
      const inside = { configurable: { ...thread('t', `inner:${step}`).configurable, ...keep } };
      const inner = { ...emptyCheckpoint(), id: uuid6(step), channel_values: {}, channel_versions: {} };
      await checkpointer.put(inside, inner, { ...facts, parents: { '': checkpoint.id } }, {});
    }
    const found: unknown[] = [];
    for await (const { config } of checkpointer.list({ configurable: { thread_id: 't' } }))
      found.push(config.configurable?.['checkpoint_ns']);
    expect(found.filter((namespace) => namespace === '')).toHaveLength(4);
    expect(new Set(found.filter((namespace) => namespace !== ''))).toEqual(new Set(['inner:2', 'inner:3']));
  });

  async function listSteps(config: RunnableConfig): Promise<unknown[]> {
    const steps: unknown[] = [];
    for await (const { checkpoint } of checkpointer.list(config))
      steps.push(checkpoint.channel_values['step']);
    return steps;
  }

  it('keeps the two newest checkpoints of each namespace, and the writes of the newest', async () => {
    const saved = await putChain(thread('t1'), 10);
    await putChain(thread('t1', 'child'), 3);
    await putChain(thread('t2'), 1);
    expect(await listSteps(thread('t1'))).toEqual([9, 8]);
    expect(await listSteps(thread('t1', 'child'))).toEqual([2, 1]);
    expect(await listSteps(thread('t2'))).toEqual([0]);

    const newest = await checkpointer.getTuple(thread('t1'));
    expect(newest?.pendingWrites).toEqual([['task', 'step', 9]]);
    expect(newest?.parentConfig).toEqual(saved[8]);
    expect(await checkpointer.getTuple(saved[7] ?? {})).toBeUndefined();
  });

  it('returns the whole state, with values written before the oldest kept checkpoint', async () => {
    await putChain(thread('t1'), 10);
    const newest = await checkpointer.getTuple(thread('t1'));
    expect(newest?.checkpoint.channel_values).toEqual({ step: 9, same: 'value' });
  });

  it.each(['constructor', '__proto__', 'a "quoted" é 😀 \\ name', ''])(
    'stores a channel under the unusual name %j',
    async (name) => {
      const versions = Object.fromEntries([[name, 1]]);
      const checkpoint = {
        ...emptyCheckpoint(),
        channel_values: Object.fromEntries([[name, 'value']]),
        channel_versions: { ...versions, toString: 1 },
      };
      const facts = { source: 'loop', step: 0, parents: {} } as const;
      await checkpointer.put(thread('t1'), checkpoint, facts, versions);
      const stored = await checkpointer.getTuple(thread('t1'));
      expect(Object.entries(stored?.checkpoint.channel_values ?? {})).toEqual([[name, 'value']]);
    },
  );

  it('keeps the ancestors of a checkpoint that is made of deltas', async () => {
    await putChain(thread('t1'), 5, { counters_since_delta_snapshot: { messages: [3, 3] } });
    expect(await listSteps(thread('t1'))).toEqual([4, 3, 2, 1, 0]);
  });

  it('stores bytes without detaching them from the graph', async () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const [saved] = await putChain(thread('t1'), 1);
    await checkpointer.putWrites(saved ?? {}, [['bytes', bytes]], 'task-2');
    expect([...bytes]).toEqual([1, 2, 3]);
    const tuple = await checkpointer.getTuple(thread('t1'));
    const stored = tuple?.pendingWrites?.find(([, channel]) => channel === 'bytes')?.[2];
    expect(Buffer.from(stored as Uint8Array)).toEqual(Buffer.from(bytes));
  });

  it('names what a checkpoint config lacks', async () => {
    const facts = { source: 'loop', step: 0, parents: {} } as const;
    await expect(checkpointer.put({}, emptyCheckpoint(), facts, {})).rejects.toThrow('thread_id');
    await expect(checkpointer.putWrites(thread('t1'), [], 'task')).rejects.toThrow('checkpoint_id');
  });
});
