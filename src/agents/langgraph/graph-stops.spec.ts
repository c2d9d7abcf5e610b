import { afterEach, describe, expect, it } from '@jest/globals';
import { interrupt, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { foldRun } from '../../events/run-view.js';
import { ADA } from '../../runs/run.testing.js';
import { answer, ask, read, say, value } from './graph-interrupts.testing.js';
import {
  closeStacks,
  getEnd,
  graphAgent,
  hang,
  openStorage,
  reached,
  stackWith,
} from './langgraph-stack.testing.js';

describe('a graph compiled with breakpoints', () => {
  afterEach(closeStacks);

  const steps = (done: string[]) =>
    new StateGraph(MessagesAnnotation)
      .addNode('first', () => (done.push('first'), say('First. ')))
      .addNode('second', () => (done.push('second'), say('Second. ')))
      .addNode('third', () => (done.push('third'), say('Third.')))
      .addEdge(START, 'first')
      .addEdge('first', 'second')
      .addEdge('second', 'third');

  it.each([
    ['before nodes', { interruptBefore: ['second', 'third'] as const }],
    ['after nodes', { interruptAfter: ['first', 'second'] as const }],
    ['before any node but the first', { interruptAfter: '*' as const }],
  ])('stops a graph with breakpoints %s and continues with any answer', async (_where, options) => {
    const done: string[] = [];
    const graph = steps(done).compile(options as object);
    const stack = await stackWith(graphAgent(graph));
    const first = await ask(stack);
    expect(done).toEqual(['first']);
    expect(first.requests).toMatchObject([{ value: { type: 'breakpoint', next: ['second'] } }]);
    const second = await answer(stack, first, null);
    expect(second.text).toBe('Second. ');
    expect(second.requests).toMatchObject([{ value: { next: ['third'] } }]);
    const third = await answer(stack, second, 'go on');
    expect(third.text).toBe('Third.');
    expect(getEnd(third)).toMatchObject({ outcome: 'completed' });
    expect(done).toEqual(['first', 'second', 'third']);
  });

  it('stops a graph at each breakpoint inside a subgraph', async () => {
    const done: string[] = [];
    const inner = steps(done).compile({ interruptBefore: ['second'], interruptAfter: ['second'] });
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('inner', inner)
      .addEdge(START, 'inner')
      .compile();
    const stack = await stackWith(graphAgent(graph));
    const first = await ask(stack);
    expect(done).toEqual(['first']);
    const second = await answer(stack, first, true);
    expect(done).toEqual(['first', 'second']);
    expect(getEnd(second)).toMatchObject({ outcome: 'awaiting-input' });
    const third = await answer(stack, second, true);
    expect(third.text).toContain('Third.');
    expect(done).toEqual(['first', 'second', 'third']);
  });
});

describe('a graph with breakpoints whose process dies', () => {
  afterEach(closeStacks);

  const compiled = (options: object, work: (signal?: AbortSignal) => Promise<void>) =>
    new StateGraph(MessagesAnnotation)
      .addNode('first', () => say('First. '))
      .addNode('second', async (_state, { signal }) => {
        await work(signal);
        return say('Second. ');
      })
      .addNode('third', () => say('Third.'))
      .addEdge(START, 'first')
      .addEdge('first', 'second')
      .addEdge('second', 'third')
      .compile(options);
  const nothing = async () => undefined;

  /** Leaves the storage as a process does that dies behind `first`, before it has asked: its graph did not know that it has to stop. */
  async function stoppedUnasked() {
    const storage = await openStorage();
    const dying = await stackWith(graphAgent(compiled({}, hang)), { storage });
    const { id, threadId } = await dying.ask('Go!');
    await reached(dying, id, (event) => event.type === 'step-start' && event.name === 'second');
    await dying.executor.drain(0);
    return { storage, id, threadId };
  }

  it.each([
    ['behind a node', { interruptAfter: ['first'] }],
    ['behind any node', { interruptAfter: '*' }],
    ['before a node', { interruptBefore: ['second'] }],
  ])('asks at a breakpoint %s that the process before did not come to ask at', async (_where, options) => {
    const { storage, id, threadId } = await stoppedUnasked();
    const next = await stackWith(graphAgent(compiled(options, nothing)), { storage });
    const stopped = await read(next, id, threadId);
    expect(stopped.text).toBe('First. ');
    expect(stopped.requests).toMatchObject([{ value: { type: 'breakpoint', next: ['second'] } }]);
    expect(getEnd(stopped)).toMatchObject({ outcome: 'awaiting-input' });
    const more = await answer(next, stopped, true);
    expect(more.text.startsWith('Second. ')).toBe(true);
  });

  it('does not ask behind a node that is not the last one, nor behind one of the turn before', async () => {
    const { storage, id, threadId } = await stoppedUnasked();
    const options = { interruptAfter: ['third'] };
    const next = await stackWith(graphAgent(compiled(options, nothing)), { storage });
    expect(getEnd(await read(next, id, threadId))).toMatchObject({ outcome: 'completed' });
    await next.executor.drain(0);

    const started = Promise.withResolvers<void>();
    const waiting = (work: (signal?: AbortSignal) => Promise<void>) =>
      new StateGraph(MessagesAnnotation)
        .addNode('first', async (_state, { signal }) => {
          await work(signal);
          return say('First again.');
        })
        .addNode('third', () => say('Third.'))
        .addEdge(START, 'first')
        .addEdge('first', 'third')
        .compile({ interruptAfter: ['third'] });
    const dying = await stackWith(graphAgent(waiting((signal) => (started.resolve(), hang(signal)))), {
      storage,
    });
    const again = await dying.ask('Again!', threadId);
    await started.promise;
    await dying.executor.drain(0);
    const last = await stackWith(graphAgent(waiting(nothing)), { storage });
    expect(getEnd(await read(last, again.id, threadId))).toMatchObject({ outcome: 'completed' });
  });
});

describe('a graph that asks while its process dies', () => {
  afterEach(closeStacks);

  it('asks the same question again after a crash and takes the answer in another process', async () => {
    const storage = await openStorage();
    const graphWith = (work: (signal?: AbortSignal) => Promise<void>) =>
      new StateGraph(MessagesAnnotation)
        .addNode('review', () => say(`You said ${String(interrupt('Sure?'))}.`))
        .addNode('work', async (_state, { signal }) => {
          await work(signal);
          return {};
        })
        .addEdge(START, 'review')
        .addEdge(START, 'work')
        .compile();
    const dying = await stackWith(graphAgent(graphWith(hang)), { storage });
    const { id, threadId } = await dying.ask('Go!');
    await reached(dying, id, ({ type }) => type === 'input-request');
    await dying.executor.drain(0);

    const second = await stackWith(graphAgent(graphWith(async () => undefined)), { storage });
    const stopped = await read(second, id, threadId);
    expect(getEnd(stopped)).toMatchObject({ outcome: 'awaiting-input' });
    expect(new Set(stopped.requests.map(({ inputId }) => inputId)).size).toBe(1);
    expect(foldRun(id, stopped.log).parts.filter(({ kind }) => kind === 'interrupt')).toHaveLength(1);
    await second.executor.drain(0);

    const third = await stackWith(graphAgent(graphWith(async () => undefined)), { storage });
    const next = await answer(third, { ...stopped, requests: stopped.requests.slice(-1) }, 'yes');
    expect(next.text).toBe('You said yes.');
  });

  it.each(['a graph', 'a subgraph'])(
    'does not give an earlier answer to a later question of %s after the process dies',
    async (where) => {
      const storage = await openStorage();
      const started = async (hangs: boolean) => {
        const graph = new StateGraph(MessagesAnnotation)
          .addNode('review', () => {
            const first = String(interrupt('First?'));
            return say(`${first}, ${String(interrupt('Second?'))}`);
          })
          .addNode('slow', async (_state, { signal }) => {
            interrupt('Slow?');
            if (hangs) await hang(signal);
            return {};
          })
          .addEdge(START, 'review')
          .addEdge(START, 'slow')
          .compile();
        const outer = new StateGraph(MessagesAnnotation)
          .addNode('inner', graph)
          .addEdge(START, 'inner')
          .compile();
        return stackWith(graphAgent(where === 'a graph' ? graph : outer), { storage });
      };
      const dying = await started(true);
      const stopped = await ask(dying);
      const answers = Object.fromEntries(
        stopped.requests.map(({ inputId, value: asked }) => [inputId, value(`to ${String(asked)}`)]),
      );
      const { continuedBy } = await dying.inputs.answer(ADA, stopped.id, answers);
      await reached(dying, continuedBy!.id, ({ type }) => type === 'input-request');
      await dying.executor.drain(0);

      const next = await started(false);
      const again = await read(next, continuedBy!.id, stopped.threadId);
      expect(again.requests.at(-1)).toMatchObject({ value: 'Second?' });
      const last = await answer(next, { ...again, requests: again.requests.slice(-1) }, 'two');
      expect(last.text).toBe('to First?, two');
    },
  );
});
