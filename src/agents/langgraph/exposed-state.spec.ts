import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage, HumanMessage } from '@langchain/core/messages';
import { Annotation, MessagesAnnotation, Send, START, StateGraph, entrypoint } from '@langchain/langgraph';
import { createDeepAgent } from 'deepagents';
import { todoListMiddleware } from 'langchain';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { RunEvent, StateChange } from '../../events/run-event.js';
import { foldRun } from '../../events/run-view.js';
import {
  call,
  closeStacks,
  graphAgent,
  openStorage,
  reached,
  scripted,
  stackWith,
} from './langgraph-stack.testing.js';

afterEach(closeStacks);

const replaced = <Value>() =>
  Annotation<Value>({ reducer: (_, next) => next, default: () => undefined as Value });
const State = Annotation.Root({
  ...MessagesAnnotation.spec,
  plan: Annotation<string[]>({ reducer: (all, more) => [...all, ...more], default: () => [] }),
  note: replaced<unknown>(),
  secret: replaced<unknown>(),
});
type Update = Partial<typeof State.Update>;

/** A graph with a node for each of these updates, one after the other. */
function createGraph(...updates: (Update | (() => Update | Promise<Update>))[]) {
  let builder = new StateGraph(State) as StateGraph<typeof State, typeof State.State, Update, string>;
  for (const [index, update] of updates.entries()) {
    builder = builder.addNode(`n${index}`, typeof update === 'function' ? update : () => update);
    builder.addEdge(index === 0 ? START : `n${index - 1}`, `n${index}`);
  }
  return builder.compile();
}

const changes = (log: readonly RecordedEvent[]): StateChange[] =>
  log.flatMap(({ event }) => (event.type === 'state' ? [event] : []));
const writersByName = (log: readonly RecordedEvent[]) => {
  const names = new Map(
    log.flatMap(({ event }) => (event.type === 'step-start' ? [[event.stepId, event.name] as const] : [])),
  );
  return changes(log).map(({ writers = {} }) =>
    Object.fromEntries(
      Object.entries(writers).map(([key, ids]) => [
        key,
        ids.map((id) => names.get(id) ?? '').toSorted((a, b) => (a < b ? -1 : 1)),
      ]),
    ),
  );
};

describe('a graph with state beside its messages', () => {
  it('shows only its messages by default', async () => {
    const stack = await stackWith(
      graphAgent(createGraph({ plan: ['a'], messages: [new AIMessage('Done.')] })),
    );
    const { log, text } = await stack.answerTo('Go');
    expect(text).toBe('Done.');
    expect(changes(log)).toEqual([]);
    expect(foldRun('run', log)).not.toHaveProperty('state');
  });

  it('shows all of its state once there is any, and then each change with the steps that made it', async () => {
    const graph = createGraph(
      { plan: ['a'] },
      { messages: [new AIMessage('Hm.')] },
      { plan: ['b'], note: { x: 1 } },
    );
    const stack = await stackWith(graphAgent(graph, { exposeState: true }));
    const first = await stack.answerTo('One');
    expect(changes(first.log).map(({ patch }) => patch)).toEqual([
      [{ op: 'replace', path: '', value: { plan: ['a'] } }],
      [
        { op: 'add', path: '/plan/1', value: 'b' },
        { op: 'add', path: '/note', value: { x: 1 } },
      ],
    ]);
    expect(writersByName(first.log)).toEqual([{ plan: ['n0'] }, { plan: ['n2'], note: ['n2'] }]);

    const second = await stack.answerTo('Two', first.threadId);
    expect(changes(second.log)[0]?.patch).toEqual([
      { op: 'replace', path: '', value: { plan: ['a', 'b'], note: { x: 1 } } },
    ]);
    expect(foldRun('run', second.log).state).toEqual({ plan: ['a', 'b', 'a', 'b'], note: { x: 1 } });
  });

  it('shows the keys that the agent names, and no others', async () => {
    const graph = () => createGraph({ plan: ['a'], secret: 'x' });
    const stack = await stackWith(graphAgent(graph(), { exposeState: ['plan', 'messages'] }));
    const { log } = await stack.answerTo('Go');
    expect(foldRun('run', log).state).toEqual({ plan: ['a'] });
    expect(JSON.stringify(log)).not.toContain('secret');
    await expect(stackWith(graphAgent(graph(), { exposeState: ['plans'] }))).rejects.toThrow(
      "exposeState of LangGraphAgent names 'plans', which the state of the graph 'graph' does not have. Keys: plan, note, secret.",
    );
  });

  it('shows no key outside the output schema of its graph when it shows all', async () => {
    const output = Annotation.Root({ ...MessagesAnnotation.spec, plan: State.spec.plan });
    const graph = new StateGraph({ stateSchema: State, output })
      .addNode('work', () => ({ plan: ['a'], secret: 'x' }))
      .addEdge(START, 'work')
      .compile();
    const stack = await stackWith(graphAgent(graph, { exposeState: true }));
    const { log } = await stack.answerTo('Go');
    expect(foldRun('run', log).state).toEqual({ plan: ['a'] });
  });

  it('says which of several nodes at work at once wrote a key', async () => {
    const graph = new StateGraph(State)
      .addNode('left', () => ({ plan: ['l'], note: 1 }))
      .addNode('right', () => ({ plan: ['r'] }))
      .addConditionalEdges(START, () => [new Send('left', {}), new Send('right', {})])
      .compile();
    const stack = await stackWith(graphAgent(graph, { exposeState: true }));
    const { log } = await stack.answerTo('Go');
    expect(writersByName(log).at(-1)).toEqual({ plan: ['left', 'right'], note: ['left'] });
  });

  it('shows what JSON cannot say in words that people can read', async () => {
    const cycle: Record<string, unknown> = { name: 'loop' };
    cycle['self'] = cycle;
    const note = {
      big: 12n,
      map: new Map([['a', 1]]),
      set: new Set([1, 2]),
      cycle,
      bad: {
        toJSON: () => {
          throw new Error('no');
        },
      },
    };
    const graph = createGraph({ note: { ...note, bad: 1 } }, { secret: note.bad }, { plan: ['still here'] });
    const stack = await stackWith(graphAgent(graph, { exposeState: true }));
    const { log } = await stack.answerTo('Go');
    expect(foldRun('run', log).state).toEqual({
      plan: ['still here'],
      note: {
        big: '12',
        map: { a: 1 },
        set: [1, 2],
        cycle: { name: 'loop', self: '[circular]' },
        bad: 1,
      },
      secret: '[unreadable: no]',
    });
  });

  it('shows messages under other keys as plain objects', async () => {
    const stack = await stackWith(
      graphAgent(createGraph({ note: [new HumanMessage({ id: 'h', content: 'Hi' })] }), {
        exposeState: ['note'],
      }),
    );
    const { log } = await stack.answerTo('Go');
    expect(foldRun('run', log).state).toEqual({
      note: [expect.objectContaining({ type: 'human', id: 'h', content: 'Hi' })],
    });
  });

  it('leaves out the largest keys of a state that is too large, and names them until it fits', async () => {
    const graph = createGraph({ plan: ['a'], note: 'n'.repeat(300) }, { plan: ['b'] }, { note: 'short' });
    const stack = await stackWith(graphAgent(graph, { exposeState: true, stateMaxBytes: 100 }));
    const { log } = await stack.answerTo('Go');
    expect(changes(log).map(({ omitted }) => omitted)).toEqual([['note'], ['note'], undefined]);
    const withoutNote = log.slice(
      0,
      log.findLastIndex(({ event }) => event.type === 'state'),
    );
    expect(foldRun('run', withoutNote)).toMatchObject({
      state: { plan: ['a', 'b'] },
      omittedState: ['note'],
    });
    expect(foldRun('run', log).state).toEqual({ plan: ['a', 'b'], note: 'short' });
    expect(foldRun('run', log)).not.toHaveProperty('omittedState');
  });

  it('shows only the last of very many changes, at the end', async () => {
    const updates = Array.from({ length: 60 }, (_, index) => ({ note: `${index} ${'n'.repeat(60)}` }));
    const stack = await stackWith(
      graphAgent(createGraph(...updates), { exposeState: true, stateMaxBytes: 100 }),
    );
    const { log } = await stack.answerTo('Go');
    expect(changes(log).length).toBeLessThan(25);
    expect(foldRun('run', log).state).toEqual({ plan: [], note: expect.stringMatching(/^59 /) });
  });

  it('keeps the state that a failed run had reached', async () => {
    const fails = () => Promise.reject(new Error('no'));
    const stack = await stackWith(graphAgent(createGraph({ plan: ['a'] }, fails), { exposeState: true }));
    const { log } = await stack.answerTo('Go');
    expect(foldRun('run', log)).toMatchObject({ status: 'failed', state: { plan: ['a'] } });
  });

  it('shows what a function of the functional API returns, except messages', async () => {
    const graph = entrypoint('func', () =>
      Promise.resolve({ plan: ['a'], messages: [new AIMessage('Done.')] }),
    );
    const stack = await stackWith(graphAgent(graph, { exposeState: true }));
    const { log, text } = await stack.answerTo('Go');
    expect(text).toBe('Done.');
    expect(foldRun('run', log).state).toEqual({ plan: ['a'] });
  });

  it('shows the whole state again to viewers of a run that another process has taken over', async () => {
    let now = Date.now();
    const storage = await openStorage(() => now);
    const hang = Promise.withResolvers<Update>();
    const graph = (last: () => Promise<Update>) => createGraph({ plan: ['a'] }, { note: 1 }, last);
    const options = { exposeState: true };
    const dead = await stackWith(
      graphAgent(
        graph(() => hang.promise),
        options,
      ),
      {
        storage,
        executor: { leaseMs: 2_000_000 },
      },
    );
    const { id } = await dead.ask('Go');
    const isLast = (event: RunEvent) => event.type === 'step-start' && event.name === 'n2';
    await reached(dead, id, isLast);
    now += 3_000_000;
    const next = await stackWith(
      graphAgent(
        graph(() => Promise.resolve({ plan: ['b'] })),
        options,
      ),
      { storage },
    );
    const log = await next.readLog(id);
    const resumed = log.findIndex(({ event }) => event.type === 'run-resume');
    expect(changes(log.slice(resumed)).map(({ patch }) => patch)).toEqual([
      [{ op: 'replace', path: '', value: { plan: ['a'], note: 1 } }],
      [{ op: 'add', path: '/plan/1', value: 'b' }],
    ]);
    expect(foldRun('run', log).state).toEqual({ plan: ['a', 'b'], note: 1 });
    hang.resolve({});
  });

  it('shows the todos and files of a deep agent', async () => {
    const todos = [{ content: 'Write it', status: 'in_progress' }];
    const calls = [
      call('t', 'write_todos', JSON.stringify({ todos })),
      call('f', 'write_file', JSON.stringify({ file_path: '/note.md', content: 'Hello' })),
    ];
    const model = scripted((messages) =>
      messages.at(-1)?.getType() === 'tool' ? { chunks: ['Written.'] } : { chunks: ['Let me write.'], calls },
    );
    const stack = await stackWith(
      graphAgent(createDeepAgent({ model, middleware: [todoListMiddleware()] }), {
        exposeState: ['todos', 'files'],
      }),
    );
    const { log, text } = await stack.answerTo('Go');
    expect(text).toContain('Written.');
    const { state } = foldRun('run', log);
    expect(state?.['todos']).toEqual(todos);
    expect(JSON.stringify(state?.['files'])).toContain('Hello');
    expect(state?.['files']).toHaveProperty(['/note.md']);
  });
});
