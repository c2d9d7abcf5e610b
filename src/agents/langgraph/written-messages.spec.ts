import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage, type BaseMessage } from '@langchain/core/messages';
import {
  Command,
  MessagesAnnotation,
  Overwrite,
  pushMessage,
  START,
  StateGraph,
  type LangGraphRunnableConfig,
} from '@langchain/langgraph';
import {
  chain,
  closeStacks,
  graphAgent,
  scripted,
  seenAndStored,
  stackWith,
} from './langgraph-stack.testing.js';

afterEach(closeStacks);

const say = (text: string) => ({ messages: [new AIMessage(text)] });
const speaking = (text: string) => scripted(() => ({ chunks: [text] }), 'roles may repeat');

/** Two turns, in each of which people see what the graph has stored, message by message. */
async function expectSame(graph: unknown, expected: readonly string[], options = {}) {
  const stack = await stackWith(graphAgent(graph, options));
  const first = await stack.answerTo('One');
  const turns = [first, await stack.answerTo('Two', first.threadId)];
  const [last] = turns.slice(-1);
  expect(await seenAndStored(stack, last!)).toEqual({ seen: expected, stored: expected });
  return turns;
}

describe('messages that replace the whole list', () => {
  it.each<[string, (messages: readonly unknown[]) => unknown]>([
    ['Overwrite', (messages) => new Overwrite(messages)],
    ['Overwrite as it is sent', (messages) => ({ __overwrite__: messages })],
    ['Overwrite as another runtime sends it', (value) => ({ type: '__overwrite__', value })],
  ])('are shown with %s, and none of them twice', async (_, overwrite) => {
    await expectSame(
      chain(
        () => say('Kept.'),
        ({ messages }) => ({ messages: overwrite([...messages, new AIMessage('Added.')]) }),
        () => say('After.'),
      ),
      ['Kept.', 'Added.', 'After.'],
    );
  });
});

describe('a node that returns a list', () => {
  it('shows the messages of each command and each update in it', async () => {
    const graph = chain(
      () => [new Command({ update: say('A.') }), say('B.'), new Command({ update: say('C.') })],
      () => say('D.'),
    );
    await expectSame(graph, ['A.', 'B.', 'C.', 'D.']);
  });
});

describe('a message that a node pushes', () => {
  const push = (content: string, options: object = {}) =>
    pushMessage({ role: 'assistant', id: randomUUID(), content }, options as LangGraphRunnableConfig);

  it('is shown before the node says more, and once if the node returns it as well', async () => {
    const model = speaking('Thought.');
    const graph = chain(async ({ messages }: { messages: BaseMessage[] }) => {
      const pushed = push('Wait.');
      return { messages: [pushed, await model.invoke(messages)] };
    });
    const [first] = await expectSame(graph, ['Wait.', 'Thought.']);
    const texts = first?.log.flatMap(({ event }) => ('delta' in event ? [event.delta] : []));
    expect(texts).toEqual(['Wait.', 'Thought.']);
  });

  it('is shown even if it is not stored', async () => {
    const graph = chain(() => {
      push('Only shown.', { stateKey: null });
      return say('Stored.');
    });
    const stack = await stackWith(graphAgent(graph));
    const { seen, stored } = await seenAndStored(stack, await stack.answerTo('One'));
    expect({ seen, stored }).toEqual({ seen: ['Only shown.', 'Stored.'], stored: ['Stored.'] });
  });

  it('is held back with the others where messages are held', async () => {
    const graph = chain(
      () => {
        push('A secret.');
        return say('Beside it.');
      },
      ({ messages }: { messages: BaseMessage[] }) => {
        const { id = '' } = messages.find(({ text }) => text === 'A secret.') ?? {};
        return { messages: [new AIMessage({ id, content: '[redacted]' })] };
      },
    );
    const stack = await stackWith(graphAgent(graph, { holdMessages: true }));
    const { log, threadId } = await stack.answerTo('One');
    expect(JSON.stringify(log)).not.toContain('secret');
    const { seen, stored } = await seenAndStored(stack, { log, threadId });
    expect(seen.toSorted()).toEqual(stored.toSorted());
  });
});

describe("the handler of a node's failure", () => {
  const failing = async ({ messages }: { messages: BaseMessage[] }) => {
    await speaking('Half a ').invoke(messages);
    throw new Error('a fault');
  };
  const handle = async () => ({ messages: [await speaking('Handled.').invoke('Go on.')] });
  const one = (errorHandler?: typeof handle) =>
    new StateGraph(MessagesAnnotation)
      .addNode('fails', failing, errorHandler ? { errorHandler } : {})
      .addEdge(START, 'fails');

  it.each([
    ['of its own', () => one(handle)],
    ['of all nodes', () => one().setNodeDefaults({ errorHandler: handle })],
    [
      'in a subgraph',
      () => new StateGraph(MessagesAnnotation).addNode('sub', one(handle).compile()).addEdge(START, 'sub'),
    ],
  ])('%s is heard in place of the node', async (_, graph) => {
    const turns = await expectSame(graph(), ['Handled.']);
    const ends = turns.map(({ log }) => log.at(-1)?.event);
    expect(ends).toMatchObject([{ outcome: 'completed' }, { outcome: 'completed' }]);
    const handlers = turns[0]!.log.flatMap(({ event }) =>
      event.type === 'step-start' && event.name.includes('error_handler') ? [event.subagent?.name] : [],
    );
    expect(handlers).toEqual([
      turns[0]!.log.some(({ event }) => 'name' in event && event.name === 'sub') ? 'sub' : undefined,
    ]);
  });
});
