import { describe, expect, it } from '@jest/globals';
import { interrupt, MessagesAnnotation, Send, START, StateGraph } from '@langchain/langgraph';
import { Client } from '@langchain/langgraph-sdk';
import { createDeepAgent } from 'deepagents';
import { tool } from 'langchain';
import { AIMessage, HumanMessage, type BaseMessage } from '@langchain/core/messages';
import { z } from 'zod';
import { LangGraphAgent } from '../../src/agents/langgraph/index.js';
import { call, scripted } from '../../src/agents/langgraph/langgraph-stack.testing.js';
import { chatServers, type ChatServer } from '../support/chat.server.js';
import { SHARED_KINDS, testStorages } from '../support/storages.js';
import { getSnapshot, langGraphHooks, shows, type Hook } from './langgraph-hooks.js';

const storages = testStorages();

const lastTold = (messages: readonly BaseMessage[]) => messages.at(-1)?.text ?? '';

/** Two graphs at work side by side, each as a node. */
const sideBySide = () => {
  const model = scripted((messages) => ({ chunks: ['Did ', `${lastTold(messages)}.`] }));
  const worker = new StateGraph(MessagesAnnotation)
    .addNode('inner', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
    .addEdge(START, 'inner')
    .compile();
  return new StateGraph(MessagesAnnotation)
    .addNode('worker', worker)
    .addNode('sum', () => ({ messages: [new AIMessage('All done.')] }))
    .addConditionalEdges(START, () =>
      ['one', 'two'].map((text) => new Send('worker', { messages: [new HumanMessage(text)] })),
    )
    .addEdge('worker', 'sum')
    .compile();
};

const look = tool(() => 'Seen.', {
  name: 'look',
  description: 'Looks.',
  schema: z.object({ note: z.string() }),
});

/** An agent that sends a helper out once, who looks and says what is there. */
const chief = () =>
  createDeepAgent({
    model: scripted((messages) =>
      messages.at(-1)?.getType() === 'tool'
        ? { chunks: ['It is there.'] }
        : { calls: [call('send', 'task', '{"description":"Look","subagent_type":"searcher"}')] },
    ),
    subagents: [
      {
        name: 'searcher',
        description: 'Searches.',
        systemPrompt: 'Search.',
        model: scripted((messages) =>
          messages.at(-1)?.getType() === 'tool'
            ? { chunks: ['Found.'] }
            : { chunks: ['Looking.'], calls: [call('look', 'look', '{"note":"here"}')] },
        ),
        tools: [look],
      },
    ],
  });

/** A graph in a graph in a graph; the innermost asks. */
const nested = () => {
  const asking = new StateGraph(MessagesAnnotation)
    .addNode('ask', () => ({ messages: [new AIMessage(`So: ${String(interrupt('Shall I?'))}.`)] }))
    .addEdge(START, 'ask')
    .compile();
  const middle = new StateGraph(MessagesAnnotation)
    .addNode('within', asking)
    .addEdge(START, 'within')
    .compile();
  return new StateGraph(MessagesAnnotation).addNode('outer', middle).addEdge(START, 'outer').compile();
};

describe.each(SHARED_KINDS)('what graphs inside a graph tell LangGraph’s hook, stored in %s', (kind) => {
  // Closed in this order after each test: clients that reconnect at once would never leave a server that is closing.
  const makeHook = langGraphHooks();
  const start = chatServers();

  const serve = async (graph: unknown) =>
    start({
      storage: await storages.make(kind),
      agents: (kit) => [
        new LangGraphAgent({
          ...kit,
          name: 'chat',
          description: 'Works.',
          graph: graph as never,
          exposeTools: true,
        }),
      ],
      protocols: {},
    });

  const createHook = (server: ChatServer, threadId: string | null = null): Hook =>
    makeHook({ client: clientOf(server), assistantId: 'chat', threadId });

  it('finds the graphs that are nodes, live and when it comes back', async () => {
    const server = await serve(sideBySide());
    const hook = createHook(server);
    const running = new Set<string>();
    hook.subgraphStore.subscribe(() => {
      for (const { nodeName, status } of hook.subgraphStore.getSnapshot().values())
        running.add(`${nodeName} ${status}`);
    });
    await hook.submit({ messages: [{ type: 'human', content: 'Go!' }] });
    const found = [...hook.subgraphStore.getSnapshot().values()];
    expect(found).toMatchObject([
      { nodeName: 'worker', status: 'complete' },
      { nodeName: 'worker', status: 'complete' },
    ]);
    expect([...running]).toEqual(['worker running', 'worker complete']);
    expect(getSnapshot(hook).messages.map(({ text }) => text)).toEqual(
      expect.arrayContaining(['Go!', 'Did one.', 'Did two.', 'All done.']),
    );

    const threadId = String(getSnapshot(hook).threadId);
    const back = createHook(server, threadId);
    await back.hydrationPromise;
    await until(back.subgraphStore, (graphs) => graphs.size === 2);
    expect([...back.subgraphStore.getSnapshot().keys()].toSorted()).toEqual(
      found.map(({ id }) => id).toSorted(),
    );
    const said = await Promise.all(found.map(({ namespace }) => readInside(server, threadId, namespace)));
    expect(said.map((texts) => texts.join()).toSorted()).toEqual(['Did one.', 'Did two.']);
  });

  it('finds an agent that a tool calls, and what it has said and called', async () => {
    const server = await serve(chief());
    const hook = createHook(server);
    await hook.submit({ messages: [{ type: 'human', content: 'Where?' }] });
    const [helper] = hook.subagentStore.getSnapshot().values();
    expect(helper).toMatchObject({ name: 'searcher', status: 'complete', taskInput: 'Look' });
    expect(getSnapshot(hook).toolCalls.map(({ name }) => name)).toEqual(['task']);
    expect(getSnapshot(hook).messages.map(({ text }) => text)).not.toContain('Looking.');

    const threadId = String(getSnapshot(hook).threadId);
    const back = createHook(server, threadId);
    await back.hydrationPromise;
    await until(
      back.subagentStore,
      (agents) => [...agents.values()][0]?.namespace[0] === helper?.namespace[0],
    );
    expect(await readInside(server, threadId, helper?.namespace ?? [])).toEqual([
      'Looking.',
      'Seen.',
      'Found.',
    ]);
    expect(await readInside(server, threadId, ['tools:unknown'])).toEqual([]);
  });

  it('says where a nested graph asks, live and when it comes back, and takes its answer', async () => {
    const server = await serve(nested());
    const hook = createHook(server);
    await hook.submit({ messages: [{ type: 'human', content: 'Go!' }] });
    await shows(hook, () => getSnapshot(hook).interrupts.length === 1);
    const [asked] = getSnapshot(hook).interrupts;
    expect(asked).toMatchObject({ value: 'Shall I?' });
    expect(asked?.namespace?.map((segment) => segment.split(':')[0])).toEqual(['outer', 'within']);

    const back = createHook(server, String(getSnapshot(hook).threadId));
    await back.hydrationPromise;
    expect(getSnapshot(back).interrupts).toEqual([asked]);
    await back.respond('yes', { interruptId: asked!.id! });
    await shows(back, () => getSnapshot(back).messages.at(-1)?.text === 'So: yes.');
    expect(getSnapshot(back).interrupts).toEqual([]);
  });
});

const clientOf = (server: ChatServer) =>
  new Client({ apiUrl: `${server.origin}/protocols/langgraph`, apiKey: null });

/** The state of a namespace, as the hook asks for it. */
async function readInside(
  server: ChatServer,
  threadId: string,
  namespace: readonly string[],
): Promise<string[]> {
  const checkpoint = { checkpoint_ns: namespace.join('\0') };
  const states = await clientOf(server).threads.getHistory<{ messages: { content: string }[] }>(threadId, {
    limit: 1,
    checkpoint,
  });
  return states.flatMap(({ values }) => values.messages.map(({ content }) => content));
}

interface Watched<Value> {
  getSnapshot(): Value;
  subscribe(listener: () => void): () => void;
}

async function until<Value>(store: Watched<Value>, condition: (value: Value) => boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    const stop = store.subscribe(look);
    function look() {
      if (!condition(store.getSnapshot())) return;
      stop();
      resolve();
    }
    queueMicrotask(look);
  });
}
