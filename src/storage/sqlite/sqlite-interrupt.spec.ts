import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Annotation,
  Command,
  END,
  START,
  StateGraph,
  interrupt,
  type BaseCheckpointSaver,
} from '@langchain/langgraph';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteStorage } from './sqlite.storage.js';

const State = Annotation.Root({
  words: Annotation<string[]>({ reducer: (before, more) => [...before, ...more], default: () => [] }),
});

const say = (word: string) => () => ({ words: [word] });

/** Several steps, then a subgraph that asks a person in its second step, while a branch beside it is done already. */
function askingGraph(checkpointer: BaseCheckpointSaver) {
  const asking = new StateGraph(State)
    .addNode('prepare', say('prepared'))
    .addNode('ask', () => ({ words: [interrupt<string, string>('May I?')] }))
    .addEdge(START, 'prepare')
    .addEdge('prepare', 'ask')
    .addEdge('ask', END)
    .compile();
  return new StateGraph(State)
    .addNode('one', say('one'))
    .addNode('two', say('two'))
    .addNode('three', say('three'))
    .addNode('asking', asking)
    .addNode('beside', say('beside'))
    .addNode('last', say('last'))
    .addEdge(START, 'one')
    .addEdge('one', 'two')
    .addEdge('two', 'three')
    .addEdge('three', 'asking')
    .addEdge('three', 'beside')
    .addEdge(['asking', 'beside'], 'last')
    .addEdge('last', END)
    .compile({ checkpointer });
}

describe('an interrupted graph on the SQLite checkpointer with pruned checkpoints', () => {
  let directory: string;
  let storage: SqliteStorage;

  async function restart(): Promise<ReturnType<typeof askingGraph>> {
    await storage?.close();
    storage = new SqliteStorage({ directory });
    await storage.open();
    return askingGraph(storage.checkpointer);
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sqlite-interrupt-'));
  });
  afterEach(async () => {
    await storage.close();
    await rm(directory, { recursive: true });
  });

  it.each(['sync', 'async'] as const)(
    'keeps an interrupted graph over a restart and continues it where it was (durability %s)',
    async (durability) => {
      const config = { configurable: { thread_id: 't1' }, durability };
      const before = await restart();
      await before.invoke({ words: ['input'] }, config);

      const after = await restart();
      const { tasks } = await after.getState(config);
      expect(tasks.flatMap(({ interrupts }) => interrupts.map(({ value }) => value))).toEqual(['May I?']);
      const state = await after.invoke(new Command({ resume: 'granted' }), config);
      expect(state.words.slice(0, 4)).toEqual(['input', 'one', 'two', 'three']);
      expect([...state.words].sort()).toEqual(
        // The subgraph gives back all of its words, those that it was started with among them.
        [
          'input',
          'one',
          'two',
          'three',
          'input',
          'one',
          'two',
          'three',
          'prepared',
          'granted',
          'beside',
          'last',
        ].sort(),
      );
    },
  );
});
