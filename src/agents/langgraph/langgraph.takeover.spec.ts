import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage, type BaseMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import type { RunEvent } from '../../events/run-event.js';
import { foldRun, textOf } from '../../events/run-view.js';
import { typesOf } from '../../runs/run.testing.js';
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
  type Answered,
} from './langgraph.stack.testing.js';
import { answersOf, type Reply } from './langgraph.testing.js';

// eslint-disable-next-line typescript/no-explicit-any -- the names of its nodes are only known while it is built
type GraphBuilder = StateGraph<any, any, any, any>;

afterEach(closeStacks);

describe('an agent whose process gives its run back', () => {
  it('does again what was not over, also when that had its result in the same moment', async () => {
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
    const log = await next.logOf(id);
    expectValid(log);
    expect(made).toEqual(['A', 'B', 'B']);
    expect(textOf(foldRun(id, log))).toBe('AB');
    expect((await next.messagesOf(threadId)).map(({ text }) => text)).toEqual(['Go', 'A', 'B']);
  });
});

describe('an agent whose process dies', () => {
  /** The first process is abandoned with its lease expired; the second goes on. */
  async function takenOver(
    script: (attempt: 1 | 2) => (messages: readonly BaseMessage[], call: number) => Reply,
    tools: readonly Tool<typeof NOTE>[],
    until: (event: RunEvent) => boolean,
  ): Promise<Answered & { messages: BaseMessage[] }> {
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
    const log = await next.logOf(id);
    expectValid(log);
    const messages = await next.messagesOf(threadId);
    return { threadId, log, text: textOf(foldRun(id, log)), messages };
  }

  it('does not repeat a tool whose step was committed', async () => {
    let calls = 0;
    const { text, log } = await takenOver(
      (attempt) => (messages) =>
        answersOf(messages).length === 0
          ? { words: ['Looking. '], calls: [call('c')] }
          : attempt === 1
            ? { words: ['Half of'], hold: () => new Promise(() => undefined) }
            : { words: ['Whole.'] },
      [noteTool('note', () => ++calls)],
      (event) => event.type === 'text-delta' && event.delta === 'Half of',
    );
    expect(calls).toBe(1);
    expect(text).toBe('Looking. Whole.');
    expect(typesOf(log).filter((type) => type === 'step-reset')).toHaveLength(1);
  });

  it('takes back the step it died in: the view has its words once, and they are the final message', async () => {
    const { text, messages, log } = await takenOver(
      (attempt) => () =>
        attempt === 1
          ? { words: ['Half of'], hold: () => new Promise(() => undefined) }
          : { words: ['Half of it, ', 'and the rest.'] },
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

  it('calls a tool again that it died in, and not the one beside it that was done', async () => {
    const made: string[] = [];
    const slow = noteTool('slow', (_, { idempotencyKey }) => {
      made.push(idempotencyKey.split(':').slice(1).join(':'));
      return made.length === 1 ? new Promise(() => undefined) : 'slow';
    });
    let quick = 0;
    const { text, log } = await takenOver(
      () => (messages) =>
        answersOf(messages).length > 0
          ? { words: ['Done.'] }
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
