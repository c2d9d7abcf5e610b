import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage, HumanMessage } from '@langchain/core/messages';
import { Annotation, END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { ADA } from '../../runs/run.testing.js';
import {
  closeStacks,
  getEnd,
  graphAgent,
  noteTool,
  reached,
  scripted,
  stackWith,
  chat,
  call,
} from './langgraph-stack.testing.js';
import { findToolMessages } from './langgraph.testing.js';

afterEach(closeStacks);

const circle: Record<string, unknown> = {};
circle['circle'] = circle;

/** A graph whose node does this at its first question, and answers the next. */
function createGraph(act: () => unknown) {
  return new StateGraph(MessagesAnnotation)
    .addNode('act', async ({ messages }) => {
      if (messages.filter((message) => HumanMessage.isInstance(message)).length === 1)
        return (await act()) as object;
      return { messages: [new AIMessage('I am.')] };
    })
    .addEdge(START, 'act')
    .addEdge('act', END)
    .compile();
}

function throws(value: unknown) {
  return () => {
    throw value;
  };
}

describe('a node of a graph', () => {
  it.each<[string, () => unknown]>([
    ['throws words', throws('words')],
    ['throws null', throws(null)],
    ['throws nothing', throws(undefined)],
    ['throws a number', throws(7n)],
    ['throws an object in circles', throws(circle)],
    ['throws an object without a prototype', throws(Object.create(null))],
    ['throws many errors', throws(new AggregateError([new Error('one'), null]))],
    [
      'throws an error with a broken message',
      throws(Object.defineProperty(new Error('x'), 'message', { get: throws('no') })),
    ],
    ['throws a frozen error', throws(Object.freeze(new Error('x')))],
    ['rejects without a reason', () => Promise.reject()],
    ['returns a number', () => 7],
    ['returns words', () => 'words'],
    ['returns a state that is not its own', () => ({ unheard: 1 })],
    ['returns a message that is none', () => ({ messages: [{ no: 'message' }] })],
    [
      'returns a message without content',
      () => ({ messages: [new AIMessage({ content: undefined as unknown as string })] }),
    ],
    ['returns a message with half a character', () => ({ messages: [new AIMessage('half \ud83d')] })],
    [
      'returns a message of a role that is unknown',
      () => ({ messages: [{ role: 'critic', content: 'Well.' }] }),
    ],
    [
      'returns a call that is never answered',
      () => ({ messages: [new AIMessage({ content: '', tool_calls: [{ id: '', name: 'x y', args: {} }] })] }),
    ],
  ])('that %s ends its run, and the thread goes on', async (_name, act) => {
    const stack = await stackWith(graphAgent(createGraph(act)));
    const first = await stack.answerTo('Go');
    expect(first.log.at(-1)?.event.type).toBe('end');
    expect(JSON.stringify(first.log).isWellFormed()).toBe(true);
    const next = await stack.answerTo('Are you there?', first.threadId);
    expect(getEnd(next)).toMatchObject({ outcome: 'completed' });
    expect(next.text).toBe('I am.');
  });

  it('that writes what another one writes too ends its run, and the thread goes on', async () => {
    const State = Annotation.Root({ ...MessagesAnnotation.spec, verdict: Annotation<string> });
    const write = ({ messages }: typeof State.State) =>
      messages.length === 1 ? { verdict: 'yes' } : { messages: [new AIMessage('I am.')] };
    const graph = new StateGraph(State)
      .addNode('one', write)
      .addNode('other', write)
      .addEdge(START, 'one')
      .addEdge(START, 'other')
      .compile();
    const stack = await stackWith(graphAgent(graph));
    const first = await stack.answerTo('Go');
    expect(getEnd(first)).toMatchObject({ outcome: 'failed' });
    expect(getEnd(await stack.answerTo('Are you there?', first.threadId))).toMatchObject({
      outcome: 'completed',
    });
  });

  it('that never ends is left when its run is cancelled, and the thread goes on', async () => {
    const stack = await stackWith(graphAgent(createGraph(() => new Promise(() => undefined))));
    const { id, threadId } = await stack.ask('Go');
    await reached(stack, id, ({ type }) => type === 'step-start');
    await stack.runs.cancel(ADA, id);
    expect((await stack.readLog(id)).at(-1)?.event).toMatchObject({ outcome: 'cancelled' });
    expect((await stack.answerTo('Are you there?', threadId)).text).toBe('I am.');
  });

  it('that never ends is left when its run has had its time', async () => {
    const stack = await stackWith(graphAgent(createGraph(() => new Promise(() => undefined))), {
      // Enough for the next one, also on a busy machine.
      limits: { maxMs: 3_000 },
    });
    const first = await stack.answerTo('Go');
    expect(getEnd(first)).toMatchObject({ outcome: 'failed', error: { code: 'RUN_LIMIT' } });
    expect((await stack.answerTo('Are you there?', first.threadId)).text).toBe('I am.');
  });
});

describe('a tool', () => {
  const many = Array.from({ length: 200_000 }, (_, index) => ({ index, text: `item ${index} 😀` }));

  it.each<[string, () => unknown]>([
    ['gives nothing', () => undefined],
    ['gives null', () => null],
    ['gives a large number', () => 2n ** 70n],
    ['gives no number', () => Number.NaN],
    ['gives a circle', () => circle],
    ['gives a function', () => () => undefined],
    ['gives a symbol', () => Symbol('s')],
    ['gives a map', () => new Map([['a', 1]])],
    ['gives a date that is none', () => new Date(Number.NaN)],
    ['gives bytes', () => new Uint8Array(1_000)],
    ['gives ten megabytes', () => 'x'.repeat(10_000_000)],
    ['gives a long list', () => many],
    ['gives half characters', () => ({ '\ud83d': ['\udc00', 'a\ud83d'] })],
    ['gives what cannot be written as JSON', () => ({ toJSON: throws('no') })],
    [
      'gives what throws when it is read',
      () => Object.defineProperty({}, 'a', { enumerable: true, get: throws(null) }),
    ],
    ['gives something without a prototype', () => Object.assign(Object.create(null) as object, { a: 1 })],
    ['throws words', throws('words')],
    ['throws null', throws(null)],
    ['throws many errors', throws(new AggregateError([new Error('one'), null], 'many'))],
    ['throws half a character', throws(new Error('half \ud83d'))],
    [
      'throws an error with a broken message',
      throws(Object.defineProperty(new Error('x'), 'message', { get: throws('no') })),
    ],
    ['throws an object without a prototype', throws(Object.create(null))],
    ['throws a circle', throws(circle)],
  ])('that %s is answered to the model, within its limit', async (_name, act) => {
    const results: string[] = [];
    const model = scripted((messages) => {
      const told = findToolMessages(messages);
      results.push(...told.map(({ text }) => text));
      return told.length > 0 ? { chunks: ['Done.'] } : { calls: [call(`c${messages.length}`)] };
    });
    for (const expose of [undefined, { output: true }]) {
      const tool = { ...noteTool('note', async () => act()), ...(expose && { expose }) };
      const stack = await stackWith(chat(model, { toolResultMaxBytes: 10_000 }), { tools: [tool] });
      const first = await stack.answerTo('Go');
      expect(getEnd(first)).toMatchObject({ outcome: 'completed' });
      expect(JSON.stringify(first.log).isWellFormed()).toBe(true);
      expect((await stack.answerTo('Again', first.threadId)).text).toBe('Done.');
    }
    expect(results).toHaveLength(4);
    for (const result of results) {
      expect(result.trim()).not.toBe('');
      expect(Buffer.byteLength(result)).toBeLessThan(11_000);
      expect(result.isWellFormed()).toBe(true);
    }
  });
});
