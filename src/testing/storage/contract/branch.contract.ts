import type { RunnableConfig } from '@langchain/core/runnables';
import { Annotation, END, START, StateGraph } from '@langchain/langgraph';
import type { Storage } from '../../../storage/storage.js';
import type { ContractSuite } from '../storage-harness.js';

export function branchContract({ describe, test, expect }: ContractSuite): void {
  describe('branches of a thread', () => {
    test('keeps the values of branches apart after the checkpoint at which they fork', async ({
      storage,
    }) => {
      const graph = echoing(storage);
      await graph.invoke({ words: ['stem'] }, THREAD);
      const { config: fork } = await graph.getState(THREAD);
      const left = await graph.updateState(fork, { words: ['left'] }, 'echo');
      const right = await graph.updateState(fork, { words: ['right'] }, 'echo');
      for (const [config, word] of [
        [left, 'left'],
        [right, 'right'],
      ] as const) {
        const { values } = await graph.getState(config);
        expect(values).toEqual({ words: ['stem', 'echo of stem', word], untouched: 'same' });
      }
      const goneOn = await graph.invoke({ words: ['more'] }, right);
      expect(goneOn.words).toEqual(['stem', 'echo of stem', 'right', 'more', 'echo of more']);
    });
  });
}

const THREAD: RunnableConfig = { configurable: { thread_id: 't1' } };

const State = Annotation.Root({
  words: Annotation<string[]>({ reducer: (before, more) => [...before, ...more], default: () => [] }),
  untouched: Annotation<string>({ reducer: (_, last) => last, default: () => 'same' }),
});

function echoing({ checkpointer }: Storage) {
  return new StateGraph(State)
    .addNode('echo', ({ words }) => ({ words: [`echo of ${words.at(-1)}`] }))
    .addEdge(START, 'echo')
    .addEdge('echo', END)
    .compile({ checkpointer });
}
