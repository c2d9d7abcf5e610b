import { describe, expect, it } from '@jest/globals';
import { AIMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { Annotation, MessagesAnnotation, START, StateGraph, StateSchema } from '@langchain/langgraph';
import { Client, type Command, type Message } from '@langchain/langgraph-sdk';
import { createAgent, humanInTheLoopMiddleware } from 'langchain';
import { z } from 'zod';
import { call } from '../../src/agents/langgraph/langgraph-stack.testing.js';
import { ScriptedModel } from '../../src/agents/langgraph/langgraph.testing.js';
import { LangGraphAgent } from '../../src/agents/langgraph/index.js';
import { MemoryStorage } from '../../src/storage/memory/memory.storage.js';
import { chatServers } from '../support/chat.server.js';
import { SHARED_KINDS, testStorages } from '../support/storages.js';

const pay = tool(({ to }) => `Paid ${to}.`, {
  name: 'pay',
  description: 'Pays.',
  schema: z.object({ to: z.string() }),
});

const human = (content: string) => ({ messages: [{ type: 'human', content }] });

type Values = { messages: Message[]; mood?: string };

// Calls of Agent Chat UI and deep-agents-ui, as their sources make them. scripts/langgraph-pages.mjs drives the pages themselves.
describe.each(['memory', ...SHARED_KINDS] as const)("calls of LangChain's own pages on %s", (kind) => {
  const start = chatServers();
  const storages = testStorages();
  const serve = async ({ keepsStates = false } = {}) => {
    const payer = createAgent({
      model: new ScriptedModel((messages) =>
        messages.at(-1)?.getType() === 'human'
          ? { chunks: ['I pay.'], calls: [call(`call-${messages.length}`, 'pay', '{"to":"Ann"}')] }
          : { chunks: [`${messages.at(-1)?.text}`] },
      ),
      tools: [pay],
      middleware: [
        humanInTheLoopMiddleware({
          interruptOn: { pay: { allowedDecisions: ['approve', 'edit', 'reject'] } },
        }),
      ],
    });
    const keeper = new StateGraph(Annotation.Root({ ...MessagesAnnotation.spec, mood: Annotation<string> }))
      .addNode('say', () => ({ messages: [new AIMessage('Hello.')] }))
      .addNode('tools', () => ({ mood: 'calm' }))
      .addEdge(START, 'say')
      .addEdge('say', 'tools');
    const picky = new StateGraph(new StateSchema({ mood: z.enum(['calm', 'wild']) }))
      .addNode('say', () => ({ mood: 'calm' as const }))
      .addEdge(START, 'say');
    const server = await start({
      storage: kind === 'memory' ? new MemoryStorage() : await storages.make(kind),
      agents: (kit) =>
        [
          ['payer', payer.graph],
          ['keeper', keeper.compile()],
          ['picky', picky.compile()],
        ].map(
          ([name, graph]) =>
            new LangGraphAgent({
              ...kit,
              name: name as string,
              description: 'Helps.',
              graph: graph as never,
              exposeState: name === 'payer' ? [] : ['mood'],
              exposeTools: true,
              takesStateChanges: true,
              keepsStates,
            }),
        ),
      protocols: {},
      throttling: { startsPerMinute: 1_000 },
    });
    return new Client<Values>({
      apiUrl: `${server.origin}/protocols/langgraph`,
      apiKey: null,
      callerOptions: { maxRetries: 0 },
    });
  };
  const ask = async (client: Client<Values>, assistant = 'payer') => {
    const { thread_id } = await client.threads.create();
    await client.runs.wait(thread_id, assistant, { input: human('Pay Ann') });
    return thread_id;
  };
  const answer = (client: Client<Values>, threadId: string, command: Command, rest: object = {}) =>
    client.runs.wait(threadId, 'payer', { input: {}, command, ...rest }) as Promise<Values>;
  const said = ({ messages }: Values) => messages.map(({ type, content }) => `${type}: ${content as string}`);

  it('show a question of the middleware in both spellings, beside its call', async () => {
    const client = await serve();
    const { tasks, values } = await client.threads.getState(await ask(client));
    const [interrupt] = tasks.flatMap(({ interrupts }) => interrupts);
    const action = { name: 'pay', args: { to: 'Ann' } };
    expect(interrupt?.value).toMatchObject({
      actionRequests: [action],
      action_requests: [action],
      reviewConfigs: [{ actionName: 'pay', action_name: 'pay', allowedDecisions: expect.any(Array) }],
      review_configs: [{ action_name: 'pay', allowed_decisions: ['approve', 'edit', 'reject'] }],
    });
    expect(values.messages.at(-1)).toMatchObject({ type: 'ai', content: 'I pay.', tool_calls: [action] });
  });

  it('are answered with the names of Python', async () => {
    const client = await serve();
    const threadId = await ask(client);
    const edited_action = { name: 'pay', args: { to: 'Bob' } };
    const values = await answer(client, threadId, {
      resume: { decisions: [{ type: 'edit', edited_action }] },
    });
    expect(said(values)).toEqual(['human: Pay Ann', 'ai: I pay.', 'tool: Paid Bob.', 'ai: Paid Bob.']);
    expect(values.messages[1]).toMatchObject({ tool_calls: [{ name: 'pay', args: { to: 'Bob' } }] });
  });

  it.each([false, true])(
    'are answered at the last state of the thread, and at no other (with kept states: %s)',
    async (keepsStates) => {
      const client = await serve({ keepsStates });
      const threadId = await ask(client);
      const states = await client.threads.getHistory(threadId);
      const [last, earlier] = [states[0]!.checkpoint, states.at(-1)!.checkpoint];
      const command = { resume: { decisions: [{ type: 'approve' }] } };
      await expect(answer(client, threadId, command, { checkpoint: earlier })).rejects.toThrow(
        'checkpoint: ',
      );
      const values = await answer(client, threadId, command, { checkpoint: last });
      expect(said(values).at(-1)).toBe('ai: Paid Ann.');
    },
  );

  it('end what a thread waits for, with the end of the graph as the goal', async () => {
    const client = await serve();
    const threadId = await ask(client);
    // As the pages write it.
    await answer(client, threadId, { goto: '__end__', update: null });
    const state = await client.threads.getState(threadId);
    expect([state.next, state.tasks]).toEqual([[], []]);
    expect((await client.threads.get(threadId)).status).toBe('idle');
    const values = (await client.runs.wait(threadId, 'payer', { input: human('And now?') })) as Values;
    expect(said(values)).toContain('human: And now?');
    expect(said(values).join()).not.toContain('Paid Ann');
  });

  it('change the state and end the graph in one command', async () => {
    const client = await serve();
    const threadId = await ask(client, 'keeper');
    await client.runs.wait(threadId, 'keeper', {
      command: { update: { mood: 'wild' }, goto: ['__end__'] },
    });
    const { values, next } = await client.threads.getState(threadId);
    expect([values.mood, next]).toEqual(['wild', []]);
  });

  it('go step by step, and continue', async () => {
    const client = await serve();
    const { thread_id } = await client.threads.create();
    const options = { interruptBefore: ['tools'] as never };
    await client.runs.wait(thread_id, 'keeper', { input: human('Hello'), ...options });
    expect((await client.threads.getState(thread_id)).next).toEqual(['tools']);
    const values = (await client.runs.wait(thread_id, 'keeper', {
      input: undefined as never,
      interruptAfter: ['tools'],
    })) as Values;
    expect(values.mood).toBe('calm');
    await client.threads.updateState(thread_id, { values: { mood: 'wild' } });
    expect((await client.threads.getState(thread_id)).values.mood).toBe('wild');
  });

  it('are told that a value does not fit the state', async () => {
    const client = await serve();
    const { thread_id } = await client.threads.create();
    await client.runs.wait(thread_id, 'picky', { input: { mood: 'calm' } });
    const change = client.threads.updateState(thread_id, { values: { mood: 'odd' } });
    await expect(change).rejects.toThrow(/HTTP 400.*values\.mood: This does not fit the schema of the state/);
    await client.threads.updateState(thread_id, { values: { mood: 'wild' } });
    expect((await client.threads.getState(thread_id)).values.mood).toBe('wild');
  });

  it('find threads by the graph and the assistant of their last run', async () => {
    const client = await serve();
    const [payer, keeper] = [await ask(client), await ask(client, 'keeper')];
    await client.threads.create({ graphId: 'payer' });
    const find = async (metadata: object) =>
      (await client.threads.search({ metadata: metadata as Record<string, unknown> })).map(
        ({ thread_id, metadata: found }) => [thread_id, found?.['graph_id'], found?.['assistant_id']],
      );
    expect(await find({ assistant_id: 'payer' })).toEqual([[payer, 'payer', 'payer']]);
    expect(await find({ graph_id: 'payer' })).toHaveLength(2);
    expect(await find({ graph_id: 'keeper' })).toEqual([[keeper, 'keeper', 'keeper']]);
    expect(await client.threads.count({ metadata: { assistant_id: 'keeper' } })).toBe(1);
  });
});
