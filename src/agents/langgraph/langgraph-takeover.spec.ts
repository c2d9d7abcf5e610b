import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage, type BaseMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import type { RunEvent } from '../../events/run-event.js';
import { foldRun, getText } from '../../events/run-view.js';
import { listTypes } from '../../runs/run.testing.js';
import type { Tool } from '../../tools/agent-tool.js';
import {
  NOTE,
  graphAgent,
  noteTool,
  call,
  openStorage,
  stackWith,
  chat,
  scripted,
  expectValid,
  toolEnds,
  reached,
  closeStacks,
  type AskedStack,
} from './langgraph-stack.testing.js';
import { findToolMessages, type ScriptedAnswer } from './langgraph.testing.js';

// eslint-disable-next-line typescript/no-explicit-any -- the names of its nodes are only known while it is built
type GraphBuilder = StateGraph<any, any, any, any>;

afterEach(closeStacks);

describe('a graph whose process gives its run back', () => {
  it('records all nodes that finish in the moment in which it gives its run back, and repeats none', async () => {
    const storage = await openStorage();
    const made: string[] = [];
    const gate = Promise.withResolvers<void>();
    const graph = () =>
      ['A', 'B']
        .reduce(
          (building, name) =>
            building
              .addNode(name, async () => {
                made.push(name);
                await gate.promise;
                return { messages: [new AIMessage(name)] };
              })
              .addEdge(START, name)
              .addEdge(name, END),
          new StateGraph(MessagesAnnotation) as GraphBuilder,
        )
        .compile();
    const first = await stackWith(graphAgent(graph()), { storage });
    const { id, threadId } = await first.ask('Go');
    await reached(first, id, (event) => event.type === 'step-start' && event.name === 'B');
    const drained = first.executor.drain(60_000);
    gate.resolve();
    await drained;

    const next = await stackWith(graphAgent(graph()), { storage });
    const log = await next.readLog(id);
    expectValid(log);
    expect(made).toEqual(['A', 'B']);
    expect(getText(foldRun(id, log))).toBe('AB');
    expect((await next.readMessages(threadId)).map(({ text }) => text)).toEqual(['Go', 'A', 'B']);
  });
});

describe('an agent whose process dies', () => {
  /** The first process is abandoned with its lease expired; the second goes on. */
  async function takenOver(
    script: (attempt: 1 | 2) => (messages: readonly BaseMessage[], call: number) => ScriptedAnswer,
    tools: readonly Tool<typeof NOTE>[],
    until: (event: RunEvent) => boolean,
  ): Promise<AskedStack & { messages: BaseMessage[] }> {
    let now = Date.now();
    const storage = await openStorage(() => now);
    const dead = await stackWith(chat(scripted(script(1))), {
      storage,
      tools,
      executor: { leaseMs: 2_000_000 },
    });
    const { id, threadId } = await dead.ask('Go');
    await reached(dead, id, until);
    now += 4_000_000;
    const next = await stackWith(chat(scripted(script(2))), { storage, tools });
    const log = await next.readLog(id);
    expectValid(log);
    const messages = await next.readMessages(threadId);
    return { threadId, log, text: getText(foldRun(id, log)), messages };
  }

  it('does not repeat a tool whose step was committed', async () => {
    let calls = 0;
    const { text, log } = await takenOver(
      (attempt) => (messages) =>
        findToolMessages(messages).length === 0
          ? { chunks: ['Looking. '], calls: [call('c')] }
          : attempt === 1
            ? { chunks: ['Half of'], hold: () => new Promise(() => undefined) }
            : { chunks: ['Whole.'] },
      [noteTool('note', () => ++calls)],
      (event) => event.type === 'text-delta' && event.delta === 'Half of',
    );
    expect(calls).toBe(1);
    expect(text).toBe('Looking. Whole.');
    expect(listTypes(log).filter((type) => type === 'step-reset')).toHaveLength(1);
  });

  it("tells once what a finished node and one that is done again have written in the person's name", async () => {
    let now = Date.now();
    const storage = await openStorage(() => now);
    const graph = (isDead: boolean) =>
      new StateGraph(MessagesAnnotation)
        .addNode('quick', () => ({ messages: ['Quick.'] }))
        .addNode('slow', () => (isDead ? Promise.withResolvers<never>().promise : { messages: ['Slow.'] }))
        .addNode('answer', () => ({ messages: [new AIMessage('Done.')] }))
        .addEdge(START, 'quick')
        .addEdge(START, 'slow')
        .addEdge(['quick', 'slow'], 'answer')
        .compile();
    const executor = { leaseMs: 2_000_000 };
    const dead = await stackWith(graphAgent(graph(true), { exposeState: true }), { storage, executor });
    const { id, threadId } = await dead.ask('Go');
    await reached(dead, id, (event) => event.type === 'step-end' && event.name === 'quick');
    now += 4_000_000;
    const next = await stackWith(graphAgent(graph(false), { exposeState: true }), { storage });
    const log = await next.readLog(id);
    expectValid(log);
    const messages = (await next.readMessages(threadId)).map(({ id: messageId, text }) => [messageId, text]);
    expect(messages.map(([, text]) => text)).toEqual(['Go', 'Quick.', 'Slow.', 'Done.']);
    const told = log.flatMap(({ event }) =>
      event.type === 'message-put' ? [[event.messageId, event.text]] : [],
    );
    expect(told).toEqual(messages.slice(1, 3));
  });

  it('takes back an interrupted step, so that its text appears once and equals the final message', async () => {
    const { text, messages, log } = await takenOver(
      (attempt) => () =>
        attempt === 1
          ? { chunks: ['Half of'], hold: () => new Promise(() => undefined) }
          : { chunks: ['Half of it, ', 'and the rest.'] },
      [],
      (event) => event.type === 'text-delta',
    );
    expect(text).toBe('Half of it, and the rest.');
    expect(messages.at(-1)?.text).toBe(text);
    const begun = log.flatMap(({ event }) => (event.type === 'step-start' ? [event.stepId] : []));
    const takenBack = log.flatMap(({ event }) => (event.type === 'step-reset' ? [event.stepId] : []));
    expect(begun).toHaveLength(2);
    expect(takenBack).toEqual(begun.slice(0, 1));
  });

  it('calls the interrupted tool again with the same key, and not the finished one beside it', async () => {
    const made: string[] = [];
    const slow = noteTool('slow', (_, { idempotencyKey }) => {
      made.push(idempotencyKey.split(':').slice(1).join(':'));
      return made.length === 1 ? new Promise(() => undefined) : 'slow';
    });
    let quick = 0;
    const { text, log } = await takenOver(
      () => (messages) =>
        findToolMessages(messages).length > 0
          ? { chunks: ['Done.'] }
          : { calls: [call('q', 'quick'), call('s', 'slow')] },
      [noteTool('quick', () => ++quick), slow],
      (event) => event.type === 'step-end' && event.name === 'tools',
    );
    expect(quick).toBe(1);
    expect(made).toHaveLength(2);
    expect(made[0]).toBe(made[1]);
    expect(text).toBe('Done.');
    expect(toolEnds(log).filter((end) => end === 'q ok')).toHaveLength(1);
  });
});
