import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, Send, START, StateGraph } from '@langchain/langgraph';
import type { RecordedEvent } from '../../events/recorded-event.js';
import { foldRun } from '../../events/run-view.js';
import { closeStacks, graphAgent, scripted, stackWith } from './langgraph-stack.testing.js';

/** The names of the steps, each with those around it, in the order in which they began. */
function listPaths(log: readonly RecordedEvent[]): string[] {
  const paths = new Map<string, string>();
  for (const { event } of log) {
    if (event.type !== 'step-start') continue;
    const { stepId, name, parentStepId } = event;
    paths.set(stepId, parentStepId === undefined ? name : `${paths.get(parentStepId)} > ${name}`);
  }
  return [...paths.values()];
}

const textsIn = (log: readonly RecordedEvent[]) =>
  foldRun('run', log).parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []));

/** A subgraph whose model says another sentence each time. */
function createTalker(options: object = {}) {
  let count = 0;
  return new StateGraph(MessagesAnnotation)
    .addNode('talk', async () => {
      count += 1;
      const words = [`Sentence `, `${count}. `];
      return { messages: [await scripted(() => ({ chunks: words })).invoke('Go on.')] };
    })
    .addEdge(START, 'talk')
    .addEdge('talk', END)
    .compile(options);
}

describe('the steps of a graph with subgraphs', () => {
  afterEach(closeStacks);

  it('loses no words of a subgraph that is called twice in a node of a loop', async () => {
    const talker = createTalker();
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('both', async (state) => {
        const first = await talker.invoke(state);
        return { messages: (await talker.invoke(first)).messages };
      })
      .addEdge(START, 'both')
      .addConditionalEdges('both', ({ messages }) => (messages.length < 5 ? 'both' : END), ['both', END])
      .compile();
    const stack = await stackWith(graphAgent(graph));
    const { log } = await stack.answerTo('Go');
    expect(textsIn(log)).toEqual(['Sentence 1. ', 'Sentence 2. ', 'Sentence 3. ', 'Sentence 4. ']);
    const round = ['both', 'both > talk', 'both > talk'];
    expect(listPaths(log)).toEqual([...round, ...round]);
  });

  it('loses no words of subgraphs that are called twice in each branch of a fan-out', async () => {
    const talker = createTalker();
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('branch', async () => {
        const first = await talker.invoke({ messages: [] });
        return { messages: (await talker.invoke(first)).messages };
      })
      .addConditionalEdges(START, () => [1, 2, 3].map((index) => new Send('branch', { index })), ['branch'])
      .addEdge('branch', END)
      .compile();
    const stack = await stackWith(graphAgent(graph));
    const { log } = await stack.answerTo('Go');
    expect(textsIn(log).toSorted()).toEqual([1, 2, 3, 4, 5, 6].map((count) => `Sentence ${count}. `));
    expect(listPaths(log).filter((path) => path === 'branch > talk')).toHaveLength(6);
  });

  it('places the steps of a subgraph that keeps its own state inside its node, in each turn', async () => {
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('sub', createTalker({ checkpointer: true }))
      .addNode('after', () => ({ messages: [new AIMessage('After.')] }))
      .addEdge(START, 'sub')
      .addEdge('sub', 'after')
      .addEdge('after', END)
      .compile();
    const stack = await stackWith(graphAgent(graph));
    const first = await stack.answerTo('Go');
    const second = await stack.answerTo('Again', first.threadId);
    for (const { log } of [first, second]) expect(listPaths(log)).toEqual(['sub', 'sub > talk', 'after']);
    expect(textsIn(first.log)).toEqual(['Sentence 1. ', 'After.']);
    expect(textsIn(second.log)).toEqual(['Sentence 2. ', 'After.']);
  });
});
