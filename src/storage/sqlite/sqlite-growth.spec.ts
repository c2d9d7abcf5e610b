import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Annotation, END, START, StateGraph, type BaseCheckpointSaver } from '@langchain/langgraph';
import { SqliteStorage } from './sqlite.storage.js';

const WORDS = 'word '.repeat(100);
const WORDS_PER_TURN = 4 * WORDS.length;

const State = Annotation.Root({
  words: Annotation<string[]>({ reducer: (before, more) => [...before, ...more], default: () => [] }),
});

const say = () => ({ words: [WORDS] });

/** A turn: the person asks, the model calls a tool, which is a graph of its own, and the model answers. */
function graphWithTool(checkpointer: BaseCheckpointSaver) {
  const Own = Annotation.Root({ looked: Annotation<string>() });
  const tool = new StateGraph(Own)
    .addNode('look', () => ({ looked: WORDS }))
    .addNode('look-again', () => ({ looked: WORDS }))
    .addEdge(START, 'look')
    .addEdge('look', 'look-again')
    .addEdge('look-again', END)
    .compile();
  return new StateGraph(State)
    .addNode('model', say)
    .addNode('tool', async () => ({ words: [(await tool.invoke({})).looked] }))
    .addNode('answer', say)
    .addEdge(START, 'model')
    .addEdge('model', 'tool')
    .addEdge('tool', 'answer')
    .addEdge('answer', END)
    .compile({ checkpointer });
}

describe('a long thread on the SQLite checkpointer', () => {
  let storage: SqliteStorage;

  beforeAll(async () => {
    storage = new SqliteStorage({ directory: ':memory:' });
    await storage.open();
  });
  afterAll(() => storage.close());

  it('grows a thread by the same number of bytes in every turn and frees all when it is deleted', async () => {
    const config = { configurable: { thread_id: 't1' }, durability: 'sync' as const };
    const graph = graphWithTool(storage.checkpointer);
    const empty = await storage.retention.usedBytes();
    const used: number[] = [];
    for (let turn = 0; turn < 40; turn += 1) {
      await graph.invoke({ words: [WORDS] }, config);
      used.push((await storage.retention.usedBytes()) - empty);
    }
    const [half = 0, whole = 0] = [used[19], used[39]];
    // The two kept checkpoints and the writes between them hold the conversation a few times, whatever its length.
    expect(whole - half).toBeLessThan(20 * WORDS_PER_TURN * 4);
    expect(whole).toBeLessThan(2.2 * half);

    await storage.checkpointer.deleteThread('t1');
    expect((await storage.retention.usedBytes()) - empty).toBe(0);
  });
});
