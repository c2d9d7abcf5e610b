import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage, HumanMessage, RemoveMessage, type BaseMessage } from '@langchain/core/messages';
import {
  Annotation,
  END,
  entrypoint,
  getPreviousState,
  MessagesAnnotation,
  pushMessage,
  REMOVE_ALL_MESSAGES,
  Send,
  START,
  StateGraph,
  task,
} from '@langchain/langgraph';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { createSupervisor } from '@langchain/langgraph-supervisor';
import { createHandoffTool, createSwarm } from '@langchain/langgraph-swarm';
import { createDeepAgent } from 'deepagents';
import { tool } from 'langchain';
import { z } from 'zod';
import {
  call,
  closeStacks,
  expectValid,
  getEnd,
  graphAgent,
  hang,
  reached,
  scripted,
  stackWith,
} from '../../src/agents/langgraph/langgraph-stack.testing.js';
import { foldRun } from '../../src/events/run-view.js';
import type { RecordedEvent } from '../../src/events/recorded-event.js';
import { ADA } from '../../src/runs/run.testing.js';
import type { Storage } from '../../src/storage/storage.js';
import { SHARED_KINDS, testStorages } from '../support/storages.js';

/** The place in a graph at which its process dies, or its run is cancelled. */
class Gate {
  isClosed = false;
  /** Names of the tasks that were done, in their order. */
  readonly done: string[] = [];

  readonly pass = async (signal: AbortSignal | undefined): Promise<void> => {
    if (this.isClosed) await hang(signal);
  };
}

interface Scenario {
  readonly graph: (gate: Gate) => unknown;
  /** What people see of each turn. */
  readonly said: readonly string[];
  /** What is done in each turn. */
  readonly done: readonly string[];
  /** The words after which it waits at the gate. */
  readonly last: string;
  /** Tools whose insides people see. Default: none. */
  readonly exposeTools?: readonly string[];
}

const sinceQuestion = (messages: readonly BaseMessage[]) =>
  messages.slice(messages.findLastIndex((message) => message.getType() === 'human') + 1);
const has = (messages: readonly BaseMessage[], name: string) =>
  sinceQuestion(messages).some((message) => message.name === name);

const lookAt = (gate: Gate) =>
  tool(
    ({ note }) => {
      gate.done.push('look');
      return `Found ${note}.`;
    },
    { name: 'look', description: 'Looks.', schema: z.object({ note: z.string() }) },
  );

let calls = 0;
/** Looks once in a turn, and waits at the gate before the end of what it says then. */
const searching = (gate: Gate) =>
  scripted(
    (messages) =>
      has(messages, 'look')
        ? { chunks: ['Found ', 'it.'], hold: gate.pass }
        : { chunks: ['Let me ', 'look.'], calls: [call(`c${++calls}`, 'look', '{"note":"x"}')] },
    'roles may repeat',
  );

const answering = (gate: Gate) => scripted(() => ({ chunks: ['All ', 'done.'], hold: gate.pass }));

const scenarios: Record<string, Scenario> = {
  'a supervisor': {
    graph: (gate) =>
      createSupervisor({
        agents: [createReactAgent({ llm: searching(gate), tools: [lookAt(gate)], name: 'helper' })],
        llm: scripted(
          (messages) =>
            has(messages, 'helper')
              ? { chunks: ['Well ', 'done.'] }
              : { chunks: ['Delegating.'], calls: [call(`h${++calls}`, 'transfer_to_helper', '{}')] },
          'roles may repeat',
        ),
        outputMode: 'full_history',
      }),
    said: ['Delegating.', 'Let me look.', 'Found it.', 'Transferring back to supervisor', 'Well done.'],
    done: ['look'],
    last: 'it.',
  },
  'a swarm': {
    graph: (gate) => {
      const toBob = createHandoffTool({ agentName: 'bob', description: 'To Bob.' });
      const toAlice = createHandoffTool({ agentName: 'alice', description: 'To Alice.' });
      const handing = (handOff: typeof toBob) =>
        scripted(
          (messages) =>
            sinceQuestion(messages).some(({ name }) => name?.startsWith('transfer_to'))
              ? has(messages, 'look')
                ? { chunks: ['Found ', 'it.'], hold: gate.pass }
                : { chunks: ['Let me ', 'look.'], calls: [call(`c${++calls}`, 'look', '{"note":"x"}')] }
              : { chunks: ['The other ', 'knows.'], calls: [call(`h${++calls}`, handOff.name, '{}')] },
          'roles may repeat',
        );
      const member = (name: string, handOff: typeof toBob) =>
        createReactAgent({ llm: handing(handOff), tools: [handOff, lookAt(gate)], name });
      return createSwarm({
        agents: [member('alice', toBob), member('bob', toAlice)],
        defaultActiveAgent: 'alice',
      });
    },
    said: ['The other knows.', 'Let me look.', 'Found it.'],
    done: ['look'],
    last: 'it.',
  },
  'a deep agent': {
    graph: (gate) => createDeepAgent({ model: searching(gate), tools: [lookAt(gate)] }),
    said: ['Let me look.', 'Found it.'],
    done: ['look'],
    last: 'it.',
  },
  'a deep agent with a helper that is heard': {
    graph: (gate) => {
      const helper = { name: 'searcher', description: 'Searches.', systemPrompt: 'Search.' };
      return createDeepAgent({
        model: scripted((messages) =>
          has(messages, 'task')
            ? { chunks: ['All ', 'done.'] }
            : {
                chunks: ['Sending.'],
                calls: [call(`t${++calls}`, 'task', '{"description":"Look","subagent_type":"searcher"}')],
              },
        ),
        subagents: [{ ...helper, model: searching(gate), tools: [lookAt(gate)] }],
      });
    },
    said: ['Sending.', 'Let me look.', 'Found it.', 'All done.'],
    done: ['look'],
    last: 'it.',
    exposeTools: ['task'],
  },
  'a functional graph': {
    graph: (gate) => {
      const pay = task('pay', async () => void gate.done.push('pay'));
      const first = task('first', (messages: BaseMessage[]) =>
        scripted(() => ({ chunks: ['Paid. '] }), 'roles may repeat').invoke(messages),
      );
      const second = task('second', (messages: BaseMessage[]) => answering(gate).invoke(messages));
      return entrypoint('functional', async ({ messages }: typeof MessagesAnnotation.State) => {
        const said = [...(getPreviousState<{ messages: BaseMessage[] }>()?.messages ?? []), ...messages];
        await pay();
        said.push(await first(said));
        said.push(await second([new HumanMessage('Go on.')]));
        return { messages: said };
      });
    },
    said: ['Paid. ', 'All done.'],
    done: ['pay'],
    last: 'done.',
  },
  'a graph that replaces its messages by a summary': {
    graph: (gate) =>
      new StateGraph(MessagesAnnotation)
        .addNode('pay', () => {
          gate.done.push('pay');
          return { messages: [new AIMessage('Paid. ')] };
        })
        .addNode('trim', () => ({
          messages: [new RemoveMessage({ id: REMOVE_ALL_MESSAGES }), new HumanMessage('A summary.')],
        }))
        .addNode('answer', async ({ messages }) => ({ messages: [await answering(gate).invoke(messages)] }))
        .addEdge(START, 'pay')
        .addEdge('pay', 'trim')
        .addEdge('trim', 'answer')
        .addEdge('answer', END)
        .compile(),
    said: ['Paid. ', 'All done.'],
    done: ['pay'],
    last: 'done.',
  },
  'a graph whose node fails and has a handler': {
    graph: (gate) =>
      new StateGraph(MessagesAnnotation)
        .addNode('pay', () => {
          gate.done.push('pay');
          pushMessage(new AIMessage({ id: randomUUID(), content: 'Pushed. ' }));
          return { messages: [new AIMessage('Paid. ')] };
        })
        .addNode(
          'fails',
          async ({ messages }) => {
            await scripted(() => ({ chunks: ['Half a '] }), 'roles may repeat').invoke(messages);
            throw new Error('a fault');
          },
          { errorHandler: async () => ({ messages: [await answering(gate).invoke('Go on.')] }) },
        )
        .addEdge(START, 'pay')
        .addEdge('pay', 'fails')
        .compile(),
    said: ['Pushed. ', 'Paid. ', 'All done.'],
    done: ['pay'],
    last: 'done.',
  },
  'a graph that fans out': {
    graph: (gate) =>
      new StateGraph(Annotation.Root({ ...MessagesAnnotation.spec, item: Annotation<string> }))
        .addNode('work', ({ item }) => {
          gate.done.push(item);
          return { messages: [new AIMessage(`${item}. `)] };
        })
        .addNode('reduce', async () => ({ messages: [await answering(gate).invoke('Go on.')] }), {
          defer: true,
        })
        .addConditionalEdges(START, () => ['a', 'b', 'c'].map((item) => new Send('work', { item })))
        .addEdge('work', 'reduce')
        .compile(),
    said: ['a. ', 'b. ', 'c. ', 'All done.'],
    done: ['a', 'b', 'c'],
    last: 'done.',
  },
};

const textsIn = (log: readonly RecordedEvent[]) =>
  foldRun('run', log).parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []));

describe.each(SHARED_KINDS)('a graph of a team on %s', (kind) => {
  const storages = testStorages();
  let storage: Storage;
  afterEach(async () => {
    await closeStacks();
    await storage.close();
  });

  it.each(Object.keys(scenarios))(
    'says everything once and repeats no finished task when the process of %s dies, and answers after a cancel',
    async (name) => {
      const { graph, said, done, last, exposeTools = false } = scenarios[name]!;
      storage = await storages.make(kind);
      await storage.open();
      const gate = new Gate();
      const begin = () => stackWith(graphAgent(graph(gate), { exposeTools }), { storage });
      const dying = await begin();
      const first = await dying.answerTo('One');
      expect(textsIn(first.log)).toEqual(said);
      expect(gate.done.splice(0)).toEqual(done);

      gate.isClosed = true;
      const second = await dying.ask('Two', first.threadId);
      await reached(dying, second.id, (event) => event.type === 'text-delta' && event.delta.endsWith(last));
      await dying.executor.drain(0);
      gate.isClosed = false;
      const next = await begin();
      const log = await next.readLog(second.id);
      expectValid(log);
      expect(getEnd({ log })).toMatchObject({ outcome: 'completed' });
      expect(textsIn(log)).toEqual(said);
      expect(gate.done.splice(0)).toEqual(done);

      gate.isClosed = true;
      const third = await next.ask('Three', first.threadId);
      await reached(next, third.id, (event) => event.type === 'text-delta' && event.delta.endsWith(last));
      await next.runs.cancel(ADA, third.id);
      const cancelled = await next.readLog(third.id);
      expectValid(cancelled);
      expect(getEnd({ log: cancelled })).toMatchObject({ outcome: 'cancelled' });
      gate.isClosed = false;
      gate.done.length = 0;
      const fourth = await next.answerTo('Four', first.threadId);
      expect(textsIn(fourth.log)).toEqual(said);
      expect(gate.done).toEqual(done);
    },
  );
});
