import { describe, expect, it, jest } from '@jest/globals';
import { HttpAgent } from '@ag-ui/client';
import { HttpAgent as OldHttpAgent } from 'ag-ui-client-v0';
import { AIMessage } from '@langchain/core/messages';
import { Annotation, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { Client } from '@langchain/langgraph-sdk';
import { createAgent, toolStrategy } from 'langchain';
import OpenAI from 'openai';
import { z } from 'zod';
import { ScriptedModel } from '../../src/agents/langgraph/langgraph.testing.js';
import { LangGraphAgent } from '../../src/agents/langgraph/index.js';
import { applyEvent, emptyView, type RunView } from '../../src/events/run-view.js';
import { readEvent } from '../../src/client/event-frames.js';
import { collected } from '../support/collected.js';
import { chatServers, gate, type ChatServer } from '../support/chat.server.js';
import type { EventStream } from '../support/event-stream.js';
import { createChat, SDKS } from './ai-sdk-chat.js';
import { getSnapshot, langGraphHooks, shows } from './langgraph-hooks.js';

interface Todo {
  readonly content: string;
  readonly status: string;
}

const State = Annotation.Root({
  ...MessagesAnnotation.spec,
  todos: Annotation<Todo[]>(),
  turn: Annotation<number>({ reducer: (all, more) => all + more, default: () => 0 }),
});

const PLANNED = [
  { content: 'Pack', status: 'in_progress' },
  { content: 'Leave', status: 'pending' },
];
const DONE = PLANNED.map((todo) => ({ ...todo, status: 'completed' }));

/** Plans, waits where the test says, and works the plan off. */
const planning = (middle: () => Promise<void> = () => Promise.resolve()) =>
  new StateGraph(State)
    .addNode('plan', () => ({ todos: PLANNED, turn: 1 }))
    .addNode('work', async ({ todos, turn }) => {
      await middle();
      const said = new AIMessage(`Packed ${turn}.`);
      return { todos: todos.map((todo) => ({ ...todo, status: 'completed' })), messages: [said] };
    })
    .addEdge(START, 'plan')
    .addEdge('plan', 'work')
    .compile();

describe('state of a graph', () => {
  // Closed in this order after each test: clients that reconnect at once would never leave a server that is closing.
  const makeHook = langGraphHooks();
  const start = chatServers();
  const serve = (graph = planning()) =>
    start({
      agents: (kit) => [
        new LangGraphAgent({ ...kit, name: 'chat', description: 'Plans.', graph, exposeState: true }),
      ],
      protocols: {},
    });
  const createHook = (server: ChatServer, threadId?: string) =>
    makeHook({
      client: new Client({ apiUrl: `${server.origin}/protocols/langgraph`, apiKey: null }),
      assistantId: 'chat',
      ...(threadId !== undefined && { threadId }),
    });
  const foldFrames = ({ frames }: EventStream, from: RunView = emptyView('run')): RunView =>
    frames.reduce((view, { id, data }) => {
      const recorded = readEvent({ data: JSON.stringify(data), lastEventId: id }, 'thread', 0);
      return recorded ? applyEvent(view, recorded) : view;
    }, from);

  it('is the same for a reader who joins late, for one who comes back, and in the thread', async () => {
    const onward = gate();
    const server = await serve(planning(() => onward.opened));
    const live = await server.ask({ message: 'Go!' });
    await live.until(() => foldFrames(live).state !== undefined);
    const { runId, threadId } = (await live.frame('ready')).data;
    const late = await server.watch(String(runId));
    await late.until(() => foldFrames(late).state !== undefined);
    expect(foldFrames(late).state).toEqual({ todos: PLANNED, turn: 1 });
    const cursor = late.lastId;
    late.leave();
    onward.open();
    expect(await live.closed()).toBe('end');
    const back = await server.watch(String(runId), cursor);
    expect(await back.closed()).toBe('end');
    const rest = foldFrames(back, foldFrames(late));
    const state = { todos: DONE, turn: 1 };
    expect([foldFrames(live).state, rest.state]).toEqual([state, state]);
    const { body } = await server.call('GET', `/threads/${String(threadId)}`);
    expect(body).toMatchObject({ messages: [{}, { view: { state } }] });
  });

  it("is in the values and updates of LangGraph's clients, and in the state and history of the thread", async () => {
    const server = await serve();
    const client = new Client({ apiUrl: `${server.origin}/protocols/langgraph`, apiKey: null });
    const { thread_id } = await client.threads.create();
    const stream = async () => {
      const input = { messages: [{ type: 'human', content: 'Go!' }] };
      const chunks = client.runs.stream(thread_id, 'chat', { input, streamMode: ['values', 'updates'] });
      return collected(chunks as AsyncIterable<{ event: string; data: Record<string, unknown> }>);
    };
    const first = await stream();
    const updates = first.filter(({ event }) => event === 'updates').map(({ data }) => data);
    expect(updates).toContainEqual({ plan: expect.objectContaining({ todos: PLANNED, turn: 1 }) });
    expect(updates).toContainEqual({ work: expect.objectContaining({ todos: DONE }) });
    expect(first.findLast(({ event }) => event === 'values')?.data).toMatchObject({ todos: DONE, turn: 1 });

    const second = await stream();
    // The next turn begins with the state that the last one has left.
    expect(second.find(({ event }) => event === 'values')?.data).toMatchObject({ todos: DONE, turn: 1 });
    expect((await client.threads.getState(thread_id)).values).toMatchObject({ todos: DONE, turn: 2 });
    const history = await client.threads.getHistory<{ turn: number }>(thread_id);
    expect(history.map(({ values }) => values.turn)).toEqual([2, 1, 1, undefined]);
    expect((await client.threads.get(thread_id)).values).toMatchObject({ todos: DONE, turn: 2 });
  });

  it("is shown by LangGraph's hook, to a viewer who joins in the middle too", async () => {
    const onward = gate();
    const server = await serve(planning(() => onward.opened));
    const hook = createHook(server);
    const values = (viewer: typeof hook) => getSnapshot(viewer).values as { todos?: unknown };
    const asked = hook.submit({ messages: [{ type: 'human', content: 'Go!' }] });
    await shows(hook, () => values(hook).todos !== undefined);
    const viewer = createHook(server, getSnapshot(hook).threadId!);
    await shows(viewer, () => values(viewer).todos !== undefined);
    expect(values(viewer).todos).toEqual(PLANNED);
    onward.open();
    await asked;
    await shows(viewer, () => JSON.stringify(values(viewer).todos).includes('completed'));
    expect([values(hook).todos, values(viewer).todos]).toEqual([DONE, DONE]);
  });

  it.each([
    ['1.0', HttpAgent],
    ['0.0.59', OldHttpAgent as unknown as typeof HttpAgent],
  ])('is the state of an AG-UI client, version %s', async (_, AgUiClient) => {
    const server = await serve();
    const url = `${server.origin}/protocols/ag-ui`;
    const agent = new AgUiClient({ url, threadId: 'thread-1' });
    const types: string[] = [];
    agent.subscribe({
      onEvent: ({ event }) => void (event.type.startsWith('STATE') && types.push(event.type)),
    });
    const turn = async (client: HttpAgent, id: string) => {
      client.addMessage({ id, role: 'user', content: 'Go!' });
      await client.runAgent();
    };
    await turn(agent, 'q1');
    expect(types).toEqual(['STATE_SNAPSHOT', 'STATE_DELTA']);
    expect(agent.state).toEqual({ todos: DONE, turn: 1 });

    const viewer = new AgUiClient({ url: `${url}/connect`, threadId: 'thread-1' });
    await viewer.runAgent();
    expect(viewer.state).toEqual(agent.state);

    // A client that has nothing of the thread gets all of it with the first change.
    const other = new AgUiClient({ url, threadId: 'thread-1' });
    await turn(other, 'q2');
    expect(other.state).toEqual({ todos: DONE, turn: 2 });
  });

  it('is taken from an AG-UI client as far as the client has changed it, and refused where the graph has no such key', async () => {
    const server = await serve();
    const agent = new HttpAgent({
      url: `${server.origin}/protocols/ag-ui`,
      threadId: 'thread-1',
      initialState: { turn: 10 },
    });
    const turn = async (id: string, runId: string) => {
      agent.addMessage({ id, role: 'user', content: 'Go!' });
      await agent.runAgent({ runId });
    };
    await turn('q1', 'one');
    expect(agent.state).toEqual({ todos: DONE, turn: 11 });
    // What the client got from here, and sends back, changes nothing.
    await turn('q2', 'two');
    expect(agent.state).toEqual({ todos: DONE, turn: 12 });
    agent.setState({ ...agent.state, turn: 5 });
    await turn('q3', 'three');
    expect(agent.state).toEqual({ todos: DONE, turn: 18 });

    agent.setState({ ...agent.state, mood: 'good' });
    // The client writes a failed run to the console.
    const log = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    await expect(turn('q4', 'four')).rejects.toThrow(/mood/);
    log.mockRestore();
  });

  it('of an AG-UI client that goes back to an earlier message is compared with the state there', async () => {
    const server = await serve();
    const agent = new HttpAgent({ url: `${server.origin}/protocols/ag-ui`, threadId: 'thread-1' });
    const turn = async (id: string, content: string) => {
      agent.addMessage({ id, role: 'user', content });
      await agent.runAgent();
    };
    await turn('q1', 'Go!');
    const [state, messages] = [structuredClone(agent.state), structuredClone(agent.messages)];
    expect(state).toEqual({ todos: DONE, turn: 1 });
    await turn('q2', 'Go!');
    expect(agent.state).toEqual({ todos: DONE, turn: 2 });
    agent.setState(state);
    agent.setMessages(messages);
    await turn('q2', 'Go again!');
    expect(agent.state).toEqual({ todos: DONE, turn: 2 });
  });

  it.each(SDKS)('is a part of the message in the AI SDK, version %s', async (_, sdk) => {
    const server = await serve();
    const chat = createChat(sdk)({ url: server.origin, id: 'thread-1' });
    for (const turn of [1, 2]) {
      await chat.sendMessage({ text: 'Go!' });
      const states = chat.messages.at(-1)?.parts.filter(({ type }) => type === 'data-state');
      expect(states).toEqual([{ type: 'data-state', id: 'state', data: { todos: DONE, turn } }]);
    }
    const stored = await fetch(`${server.origin}/protocols/ai-sdk/chat/thread-1/messages`);
    const messages = (await stored.json()) as typeof chat.messages;
    const states = messages.at(-1)?.parts.filter(({ type }) => type === 'data-state');
    expect(states).toEqual([{ type: 'data-state', id: 'state', data: { todos: DONE, turn: 2 } }]);
  });

  it('costs an agent that shows only messages no event and no field', async () => {
    const server = await start({
      agents: (kit) => [
        new LangGraphAgent({ ...kit, name: 'chat', description: 'Plans.', graph: planning() }),
      ],
      protocols: {},
    });
    const stream = await server.finishedRun({ message: 'Go!' });
    expect(stream.text).toBe('Packed 1.');
    expect(JSON.stringify(stream.frames)).not.toMatch(/todos\\?"/);
    const types = stream.events.map(({ event }) => event);
    expect(types).not.toContain('state');
  });

  it('of a form that was asked for reaches each protocol as its answer', async () => {
    const Contact = z.object({ name: z.string() }).meta({ title: 'Contact' });
    const ada = { name: 'Ada' };
    const model = new ScriptedModel((_, turn) => ({
      chunks: [],
      calls: [{ id: `c${turn}`, name: 'Contact', args: JSON.stringify(ada) }],
    }));
    const graph = createAgent({ model, tools: [], responseFormat: toolStrategy(Contact) });
    const server = await start({
      agents: (kit) => [new LangGraphAgent({ ...kit, name: 'chat', description: 'Knows.', graph })],
      protocols: {},
    });
    const baseURL = `${server.origin}/protocols/openai/v1`;
    const openai = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 });
    const completion = await openai.chat.completions.create({
      model: 'chat',
      messages: [{ role: 'user', content: 'Who?' }],
    });
    expect(JSON.parse(completion.choices[0]?.message.content ?? '')).toEqual(ada);
    const response = await openai.responses.create({ model: 'chat', input: 'Who?' });
    expect(JSON.parse(response.output_text)).toEqual(ada);
    expect(response.output.map(({ type }) => type)).toEqual(['message']);

    const client = new Client({ apiUrl: `${server.origin}/protocols/langgraph`, apiKey: null });
    const { thread_id } = await client.threads.create();
    const input = { messages: [{ type: 'human', content: 'Who?' }] };
    const chunks = await collected(client.runs.stream(thread_id, 'chat', { input, streamMode: 'values' }));
    expect(chunks.findLast(({ event }) => event === 'values')?.data).toMatchObject({
      structuredResponse: ada,
    });
    const next = await collected(client.runs.stream(thread_id, 'chat', { input, streamMode: 'values' }));
    expect(next.find(({ event }) => event === 'values')?.data).not.toHaveProperty('structuredResponse');

    const agent = new HttpAgent({ url: `${server.origin}/protocols/ag-ui`, threadId: 'thread-1' });
    agent.addMessage({ id: 'q1', role: 'user', content: 'Who?' });
    await agent.runAgent();
    expect(agent.state).toEqual({ structuredResponse: ada });
    const chat = createChat(SDKS[0][1])({ url: server.origin, id: 'thread-2' });
    await chat.sendMessage({ text: 'Who?' });
    expect(chat.messages.at(-1)?.parts).toContainEqual({
      type: 'data-state',
      id: 'state',
      data: { structuredResponse: ada },
    });
  });
});
