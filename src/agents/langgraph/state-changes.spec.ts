import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { createAgent } from 'langchain';
import { foldRun } from '../../events/run-view.js';
import { ADA, listTypes } from '../../runs/run.testing.js';
import type { GivenStateChange } from '../agent.js';
import {
  call,
  chain,
  closeStacks,
  expectValid,
  getEnd,
  graphAgent,
  hang,
  noteTool,
  openStorage,
  reached,
  scripted,
  stackWith,
  toolEnds,
  type CreateAgent,
} from './langgraph-stack.testing.js';
import { findToolMessages } from './langgraph.testing.js';
import { toolMiddleware } from './tool.middleware.js';

const LEASE_MS = 2_000_000;

afterEach(closeStacks);

describe('a change of the state whose process dies after it', () => {
  const said = { messages: [{ type: 'ai', content: 'changed' }] };
  const changes: Record<string, GivenStateChange> = {
    'an update': { updates: [{ values: said, asNode: 'n0' }], continues: true },
    'an update and a goto': { updates: [{ values: said, asNode: 'n0' }], goto: ['n1'], continues: true },
  };

  it.each(Object.keys(changes))('shows %s once, and goes on with the graph', async (name) => {
    let now = Date.now();
    const storage = await openStorage(() => now);
    let hangs = false;
    const agent = graphAgent(
      chain(
        () => ({ messages: [new AIMessage('first')] }),
        () => (hangs ? new Promise(() => undefined) : { messages: [new AIMessage('second')] }),
      ).compile(),
      { takesStateChanges: true },
    );
    const dead = await stackWith(agent, { storage, executor: { leaseMs: LEASE_MS } });
    const { threadId } = await dead.answerTo('Go');
    hangs = true;
    const { id } = await dead.runs.start({
      principal: ADA,
      threadId,
      message: '…',
      isWithoutMessage: true,
      stateChange: changes[name]!,
    });
    await reached(dead, id, (event) => event.type === 'step-start' && event.name === 'n1');
    now += LEASE_MS * 2;
    hangs = false;

    const next = await stackWith(agent, { storage });
    const log = await next.readLog(id);
    expectValid(log);
    expect(listTypes(log)).toContain('run-resume');
    const texts = foldRun(id, log).parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []));
    expect(texts).toEqual(['changed', 'second']);
    expect((await next.readMessages(threadId)).map(({ text }) => text)).toEqual([
      'Go',
      'first',
      'second',
      'changed',
      'second',
    ]);
  });
});

describe('a run that goes on after one that failed in the middle of a step', () => {
  it('fails, and runs no node again that had finished', async () => {
    const made: string[] = [];
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('A', () => {
        made.push('A');
        return { messages: [new AIMessage('A')] };
      })
      .addNode('B', async ({ messages }) => {
        await new Promise(setImmediate);
        throw new Error(`B fails after ${messages.length}.`);
      })
      .addEdge(START, 'A')
      .addEdge(START, 'B')
      .addEdge('A', END)
      .addEdge('B', END)
      .compile();
    const stack = await stackWith(graphAgent(graph, { takesStateChanges: true }));
    const { log, threadId } = await stack.answerTo('Go');
    expect(getEnd({ log })).toMatchObject({ outcome: 'failed' });
    const stateChange = { updates: [], continues: true };
    const asked = { principal: ADA, threadId, message: '…', isWithoutMessage: true, stateChange };
    const { id } = await stack.runs.start(asked);
    expect(getEnd({ log: await stack.readLog(id) })).toMatchObject({
      outcome: 'failed',
      error: { code: 'REQUEST_INVALID' },
    });
    expect(made).toEqual(['A']);
  });
});

describe('a run that goes on after one that was stopped in a call', () => {
  const pays: CreateAgent = (storage, tracking, registry) => {
    const model = scripted((messages) =>
      findToolMessages(messages).length > 0 ? { chunks: ['Done.'] } : { calls: [call('p', 'pay')] },
    );
    const graph = createAgent({ model, tools: [], middleware: [toolMiddleware(registry, tracking)] });
    return graphAgent(graph, { takesStateChanges: true })(storage, tracking, registry);
  };
  const ways: Record<string, readonly Partial<GivenStateChange>[]> = {
    'without an input': [{ continues: true }],
    'with a goto': [{ continues: true, goto: ['tools'] }],
    'after a change of the state': [{}, { continues: true }],
  };

  it.each(Object.keys(ways))('makes no call with effects twice when it goes on %s', async (way) => {
    let paid = 0;
    const pay = {
      ...noteTool('pay', (_, { signal }) => {
        paid += 1;
        return hang(signal);
      }),
      sideEffect: 'once',
    } as const;
    const stack = await stackWith(pays, { tools: [pay] });
    const { id, threadId } = await stack.ask('Pay');
    await reached(stack, id, (event) => event.type === 'tool-start');
    await stack.runs.cancel(ADA, id);
    expect(getEnd({ log: await stack.readLog(id) })).toMatchObject({ outcome: 'cancelled' });
    let log: Awaited<ReturnType<typeof stack.readLog>> = [];
    for (const change of ways[way]!) {
      const run = await stack.runs.start({
        principal: ADA,
        threadId,
        message: '…',
        isWithoutMessage: true,
        stateChange: { updates: [], ...change },
      });
      log = await stack.readLog(run.id);
      expectValid(log);
    }
    expect(paid).toBe(1);
    // With a goto, the node runs beside the call that was next.
    expect(toolEnds(log)).toContain('p error');
    expect(getEnd({ log })).toMatchObject({ outcome: 'completed' });
    const told = (await stack.readMessages(threadId)).map(({ text }) => text);
    expect(told.at(-2)).toContain('Find out whether it took effect');
    expect(told.at(-1)).toBe('Done.');
  });
});
