import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage } from '@langchain/core/messages';
import {
  END,
  getWriter,
  MessagesAnnotation,
  START,
  StateGraph,
  type LangGraphRunnableConfig,
} from '@langchain/langgraph';
import { createAgent, tool } from 'langchain';
import { z } from 'zod';
import type { RecordedEvent } from '../../events/recorded-event.js';
import { foldRun } from '../../events/run-view.js';
import { compactLog } from '../../events/compact-log.js';
import {
  call,
  closeStacks,
  expectValid,
  graphAgent,
  hang,
  openStorage,
  reached,
  scripted,
  stackWith,
} from './langgraph-stack.testing.js';

afterEach(closeStacks);

type Config = LangGraphRunnableConfig;

/** Words and facts in the order in which people get them, each fact with the name of its step. */
function listOutput(log: readonly RecordedEvent[]): string[] {
  const names = new Map(
    log.flatMap(({ event }) => (event.type === 'step-start' ? [[event.stepId, event.name] as const] : [])),
  );
  return log.flatMap(({ event }) => {
    if (event.type === 'text-delta') return [event.delta];
    if (event.type === 'step-end') return [`end of ${event.name}`];
    if (event.type !== 'custom') return [];
    return [`${String(event.data)} of ${names.get(event.stepId ?? '') ?? 'no step'}`];
  });
}

const factsIn = (log: readonly RecordedEvent[]) =>
  foldRun('run', log).parts.flatMap((part) => (part.kind === 'custom' ? [part.data] : []));

describe('the events that a graph writes', () => {
  it('stand where they were written among the words of a model, in their step', async () => {
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('work', async (_, config: Config) => {
        config.writer?.('before');
        const model = scripted(() => ({
          chunks: ['One '],
          hold: () => {
            getWriter()?.('between');
            return Promise.resolve();
          },
        }));
        const first = await model.invoke('Go');
        config.writer?.('after');
        return { messages: [first] };
      })
      .addNode('rest', (_, config: Config) => {
        for (const fact of ['a', 'b', 'c']) config.writer?.(fact);
        return {};
      })
      .addEdge(START, 'work')
      .addEdge('work', 'rest')
      .addEdge('rest', END)
      .compile();
    const { log } = await (await stackWith(graphAgent(graph))).answerTo('Go');
    expect(listOutput(log)).toEqual([
      'before of work',
      'One ',
      'between of work',
      'after of work',
      'end of work',
      'a of rest',
      'b of rest',
      'c of rest',
      'end of rest',
    ]);
  });

  it('name the step of a subgraph and of a tool that wrote them', async () => {
    const note = tool(
      (_, config: Config) => {
        config.writer?.('noted');
        return 'ok';
      },
      { name: 'note', description: 'Notes.', schema: z.object({ note: z.string() }) },
    );
    const inner = createAgent({
      tools: [note],
      model: scripted((messages) =>
        messages.at(-1)?.getType() === 'tool' ? { chunks: ['Done.'] } : { calls: [call('c1')] },
      ),
    });
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('inner', inner.graph)
      .addEdge(START, 'inner')
      .addEdge('inner', END)
      .compile();
    const { log } = await (await stackWith(graphAgent(graph))).answerTo('Go');
    expect(listOutput(log)).toContain('noted of tools');
  });

  it('are withdrawn with the rest of a step that is tried again', async () => {
    let tries = 0;
    const graph = new StateGraph(MessagesAnnotation)
      .addNode(
        'work',
        (_, config: Config) => {
          tries += 1;
          config.writer?.(`try ${tries}`);
          if (tries === 1) throw new Error('Not yet.');
          return { messages: [new AIMessage('Done.')] };
        },
        { retryPolicy: { maxAttempts: 2, initialInterval: 1, logWarning: false } },
      )
      .addEdge(START, 'work')
      .addEdge('work', END)
      .compile();
    const { log } = await (await stackWith(graphAgent(graph))).answerTo('Go');
    expectValid(log);
    expect(tries).toBe(2);
    expect(factsIn(log)).toEqual(['try 2']);
    expect(factsIn(compactLog(log))).toEqual(['try 2']);
  });

  it('stay when a later node replaces the message of their step', async () => {
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('work', async (_, config: Config) => {
        config.writer?.('fact');
        return { messages: [await scripted(() => ({ chunks: ['Secret.'] })).invoke('Go')] };
      })
      .addNode('guard', ({ messages }) => ({
        messages: [new AIMessage({ id: messages.at(-1)?.id ?? '', content: 'Hidden.' })],
      }))
      .addEdge(START, 'work')
      .addEdge('work', 'guard')
      .addEdge('guard', END)
      .compile();
    const { log, text } = await (await stackWith(graphAgent(graph))).answerTo('Go');
    expect(text).toBe('Hidden.');
    expect(factsIn(log)).toEqual(['fact']);
    expect(factsIn(compactLog(log))).toEqual(['fact']);
  });

  it('are withdrawn when another process takes their step over', async () => {
    let now = Date.now();
    const storage = await openStorage(() => now);
    const graph = (attempt: number) =>
      new StateGraph(MessagesAnnotation)
        .addNode('work', async (_, config: Config) => {
          config.writer?.(`fact of ${attempt}`);
          if (attempt === 1) await hang(config.signal);
          return { messages: [new AIMessage('Done.')] };
        })
        .addEdge(START, 'work')
        .addEdge('work', END)
        .compile();
    const dead = await stackWith(graphAgent(graph(1)), { storage, executor: { leaseMs: 2_000_000 } });
    const { id } = await dead.ask('Go');
    await reached(dead, id, ({ type }) => type === 'custom');
    now += 4_000_000;
    const next = await stackWith(graphAgent(graph(2)), { storage });
    const log = await next.readLog(id);
    expectValid(log);
    expect(log.some(({ event }) => event.type === 'run-resume')).toBe(true);
    expect(factsIn(log)).toEqual(['fact of 2']);
  });

  it('become readable JSON, as do results of tools, where they have what JSON cannot say', async () => {
    const odd = () => {
      const cycle: Record<string, unknown> = { name: 'loop' };
      cycle['self'] = cycle;
      return {
        big: 12345678901234567890n,
        map: new Map([['a', 1]]),
        set: new Set([1, 2]),
        date: new Date(0),
        cycle,
      };
    };
    const readable = {
      big: '12345678901234567890',
      map: { a: 1 },
      set: [1, 2],
      date: '1970-01-01T00:00:00.000Z',
      cycle: { name: 'loop', self: '[circular]' },
    };
    const strange = tool(() => ({ messages: [], odd: odd() }), {
      name: 'note',
      description: 'Notes.',
      schema: z.object({ note: z.string() }),
      returnDirect: false,
    });
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('work', async (_, config: Config) => {
        config.writer?.({ name: 'odd', data: odd() });
        config.writer?.(1n);
        await strange.invoke({ note: 'x' }, config);
        return { messages: [new AIMessage('Done.')] };
      })
      .addEdge(START, 'work')
      .addEdge('work', END)
      .compile();
    const { log } = await (await stackWith(graphAgent(graph, { exposeTools: true }))).answerTo('Go');
    expect(factsIn(log)).toEqual([readable, '1']);
    const result = log.flatMap(({ event }) => (event.type === 'tool-end' ? [event.output] : []));
    expect(result).toEqual([{ messages: [], odd: readable }]);
  });
});
