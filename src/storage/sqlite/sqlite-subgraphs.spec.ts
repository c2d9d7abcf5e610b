import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Annotation, END, START, StateGraph, type BaseCheckpointSaver } from '@langchain/langgraph';
import { emptyStorage } from '../../testing/storage/storage-emptying.js';
import { SqliteStorage } from './sqlite.storage.js';

const State = Annotation.Root({
  words: Annotation<string[]>({ reducer: (before, more) => [...before, ...more], default: () => [] }),
});

const CONFIG = { configurable: { thread_id: 't1' }, durability: 'sync' as const };

/** Several steps around a subgraph with two steps, the second of which is a graph again. `remembers`: from run to run. */
function nested(checkpointer: BaseCheckpointSaver, remembers?: true) {
  const say = (word: string) => () => ({ words: [word] });
  const inner = new StateGraph(State)
    .addNode('deep', say('deep'))
    .addEdge(START, 'deep')
    .addEdge('deep', END);
  const outer = new StateGraph(State)
    .addNode('shallow', say('shallow'))
    .addNode('inner', inner.compile())
    .addEdge(START, 'shallow')
    .addEdge('shallow', 'inner')
    .addEdge('inner', END)
    .compile({ ...(remembers && { checkpointer: remembers }) });
  return new StateGraph(State)
    .addNode('outer', async () => ({ words: [`${(await outer.invoke({ words: ['in'] })).words.length}`] }))
    .addNode('second', say('second'))
    .addNode('third', say('third'))
    .addEdge(START, 'outer')
    .addEdge('outer', 'second')
    .addEdge('second', 'third')
    .addEdge('third', END)
    .compile({ checkpointer });
}

describe('subgraphs on the SQLite checkpointer', () => {
  let pruned: SqliteStorage;
  let whole: SqliteStorage;

  beforeAll(async () => {
    pruned = new SqliteStorage({ directory: ':memory:' });
    whole = new SqliteStorage({ directory: ':memory:', keepCheckpoints: 'all' });
    await Promise.all([pruned.open(), whole.open()]);
  });
  afterEach(() => emptyStorage(pruned));
  afterAll(() => Promise.all([pruned.close(), whole.close()]));

  async function namespacesIn({ checkpointer }: SqliteStorage): Promise<string[]> {
    const namespaces = new Set<string>();
    for await (const { config } of checkpointer.list({ configurable: { thread_id: 't1' } }))
      namespaces.add(String(config.configurable?.['checkpoint_ns']));
    return [...namespaces];
  }

  it('deletes the checkpoints of subgraphs once the steps that they ran in are over', async () => {
    for (const storage of [pruned, whole]) {
      for (let turn = 0; turn < 3; turn += 1)
        await nested(storage.checkpointer).invoke({ words: [] }, CONFIG);
    }
    expect(await namespacesIn(pruned)).toEqual(['']);
    // The root, and in each turn the subgraph and the one in it.
    expect(await namespacesIn(whole)).toHaveLength(1 + 3 * 2);
  });

  it('keeps the state of subgraphs that are compiled to remember it over later turns', async () => {
    const graph = nested(pruned.checkpointer, true);
    let words: string[] = [];
    for (let turn = 0; turn < 3; turn += 1) ({ words } = await graph.invoke({ words: [] }, CONFIG));
    const counts = words.filter((word) => /^\d+$/.test(word)).map(Number);
    expect(counts).toHaveLength(3);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(new Set(counts).size).toBe(3);
    expect(await namespacesIn(pruned)).toContain('outer');
  });
});
