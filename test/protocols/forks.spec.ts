import { HttpAgent } from '@ag-ui/client';
import { describe, expect, it } from '@jest/globals';
import { AIMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { Client, type Message } from '@langchain/langgraph-sdk';
import { StreamOrchestrator } from '@langchain/langgraph-sdk/ui';
import { LangGraphAgent } from '../../src/agents/langgraph/index.js';
import { chatServers, type ChatServer } from '../support/chat.server.js';
import { createChat, readText, SDKS } from './ai-sdk-chat.js';
import { getSnapshot, langGraphHooks, shows } from './langgraph-hooks.js';

const start = chatServers();
const createStream = langGraphHooks();

/** Says which questions it has heard. */
const listening = new StateGraph(MessagesAnnotation)
  .addNode('listen', ({ messages }) => {
    const heard = messages.filter((message) => message.getType() === 'human').map(({ text }) => text);
    return { messages: [new AIMessage(`heard ${heard.join(', ')}`)] };
  })
  .addEdge(START, 'listen')
  .addEdge('listen', END)
  .compile();

const serve = () =>
  start({
    agents: (kit) => [
      new LangGraphAgent({ ...kit, name: 'listening', description: 'Listens.', graph: listening as never }),
    ],
    protocols: {},
  });

const connectTo = ({ origin }: ChatServer) =>
  new Client({ apiUrl: `${origin}/protocols/langgraph`, apiKey: null, callerOptions: { maxRetries: 0 } });
const human = (content: string) => ({ messages: [{ type: 'human', content }] });

interface Shown {
  readonly messages: readonly {
    readonly role: string;
    readonly runId: string;
    readonly text: string;
    readonly versions?: readonly string[];
  }[];
  readonly nextCursor?: string;
}

describe('a thread with branches', () => {
  const ask = async (server: ChatServer, body: object) => {
    const { status, body: started } = await server.call('POST', '/runs', body);
    if (status !== 202) return { status, code: started['code'] };
    await (await server.watch(String(started['runId']))).closed();
    return { runId: String(started['runId']), threadId: String(started['threadId']) };
  };
  const read = async (server: ChatServer, path: string) =>
    (await server.call('GET', `/threads/${path}`)).body as unknown as Shown;
  const listTexts = ({ messages }: Shown) => messages.map(({ text }) => text);

  it('shows the newest branch, the versions of each turn, and any other branch', async () => {
    const server = await serve();
    const { runId: one, threadId = '' } = await ask(server, { message: 'one' });
    const { runId: two } = await ask(server, { message: 'two', threadId });
    const { runId: three } = await ask(server, { message: 'three', threadId });
    const { runId: edited } = await ask(server, { message: 'two again', replaces: two });
    const { runId: four } = await ask(server, { message: 'four', threadId });

    const newest = await read(server, threadId);
    expect(listTexts(newest)).toEqual([
      'one',
      'heard one',
      'two again',
      'heard one, two again',
      'four',
      'heard one, two again, four',
    ]);
    expect(newest.messages.map(({ runId, versions }) => [runId, versions])).toEqual([
      [one, undefined],
      [one, undefined],
      [edited, [two, edited]],
      [edited, [two, edited]],
      [four, undefined],
      [four, undefined],
    ]);
    const other = await read(server, `${threadId}?runId=${two}`);
    expect(listTexts(other).at(-1)).toBe('heard one, two, three');
    expect(listTexts(await read(server, `${threadId}?runId=${one}`))).toEqual(listTexts(newest));
    expect((await server.call('GET', `/runs/${edited}`)).body).toMatchObject({ parentRunId: one });

    const page = await read(server, `${threadId}?runId=${three}&limit=2`);
    expect(listTexts(page)).toEqual(['two', 'heard one, two', 'three', 'heard one, two, three']);
    const rest = await read(server, `${threadId}?runId=${three}&limit=2&cursor=${page.nextCursor}`);
    expect(listTexts(rest)).toEqual(['one', 'heard one']);
    expect(rest.nextCursor).toBeUndefined();
    expect((await server.call('GET', `/threads/${threadId}?runId=unknown`)).status).toBe(404);
  });

  it('goes on with a page that was begun before there were branches', async () => {
    const server = await serve();
    const { runId: one, threadId = '' } = await ask(server, { message: 'one' });
    await ask(server, { message: 'two', threadId });
    const { nextCursor } = await read(server, `${threadId}?limit=1`);
    await ask(server, { message: 'other', parentRunId: one });
    expect(listTexts(await read(server, `${threadId}?limit=1&cursor=${nextCursor}`))).toEqual([
      'one',
      'heard one',
    ]);
  });

  it('makes an answer again, and begins a thread once more', async () => {
    const server = await serve();
    const { runId: one, threadId = '' } = await ask(server, { message: 'one' });
    await ask(server, { message: 'two', threadId });
    const { runId: again } = await ask(server, { replaces: one });
    const shown = await read(server, threadId);
    expect(listTexts(shown)).toEqual(['one', 'heard one']);
    expect(shown.messages[0]?.versions).toEqual([one, again]);
    const { runId: first } = await ask(server, { threadId, parentRunId: null, message: 'from the start' });
    expect(listTexts(await read(server, threadId))).toEqual(['from the start', 'heard from the start']);
    expect((await server.call('GET', `/runs/${first}`)).body['parentRunId']).toBeNull();
  });

  it('refuses two places, an unknown one, and a start without words', async () => {
    const server = await serve();
    const { runId: one } = await ask(server, { message: 'one' });
    const code = 'REQUEST_INVALID';
    expect(await ask(server, { message: 'x', parentRunId: one, replaces: one })).toEqual({
      status: 400,
      code,
    });
    expect(await ask(server, { parentRunId: one })).toEqual({ status: 400, code });
    expect(await ask(server, { message: 'x', parentRunId: 'unknown' })).toEqual({
      status: 404,
      code: 'NOT_FOUND',
    });
  });
});

describe("LangGraph's clients", () => {
  it('have the states of all branches, and go on from any of them', async () => {
    const server = await serve();
    const client = connectTo(server);
    const { thread_id } = await client.threads.create();
    const wait = (payload: object) => client.runs.wait(thread_id, 'listening', payload);
    await wait({ input: human('one') });
    await wait({ input: human('two') });
    const [last, question, first] = await client.threads.getHistory(thread_id);
    expect(last?.parent_checkpoint).toEqual(question?.checkpoint);
    expect(question?.parent_checkpoint).toEqual(first?.checkpoint);
    expect(question?.metadata).toMatchObject({ source: 'input' });

    const edited = await wait({ input: human('two again'), checkpoint: first?.checkpoint });
    expect(getLast(edited)).toBe('heard one, two again');
    const again = await wait({ input: null, checkpointId: question?.checkpoint.checkpoint_id });
    expect(getLast(again)).toBe('heard one, two');

    const states = await client.threads.getHistory(thread_id, { limit: 100 });
    expect(
      states.filter(
        ({ parent_checkpoint: parent }) => parent?.checkpoint_id === first?.checkpoint.checkpoint_id,
      ),
    ).toHaveLength(3);
    expect(getLast((await client.threads.getState(thread_id)).values)).toBe('heard one, two');
    const { checkpoint_id = '' } = last!.checkpoint;
    expect(await client.threads.getState(thread_id, checkpoint_id!)).toEqual(last);
    const answers = await client.threads.getHistory(thread_id, { limit: 100, metadata: { source: 'loop' } });
    expect(answers).toHaveLength(4);
  });

  it('edit and regenerate with the legacy useStream, which shows the branches', async () => {
    const client = connectTo(await serve());
    const hook = new StreamOrchestrator<{ messages: Message[] }>(
      { assistantId: 'listening', client, fetchStateHistory: { limit: 100 } },
      { getClient: () => client, getAssistantId: () => 'listening', getMessagesKey: () => 'messages' },
    );
    const texts = () => hook.messageInstances.map(({ text }) => text);
    await hook.submit(human('one') as never);
    await hook.submit(human('two') as never);
    const { firstSeenState: asked } = hook.getMessagesMetadata(hook.messages[2]!, 2) ?? {};
    await hook.submit(human('two again') as never, { checkpoint: asked?.parent_checkpoint ?? null });
    expect(texts()).toEqual(['one', 'heard one', 'two again', 'heard one, two again']);
    const { firstSeenState: answered } = hook.getMessagesMetadata(hook.messages[3]!, 3) ?? {};
    await hook.submit(undefined as never, { checkpoint: answered?.parent_checkpoint ?? null });
    expect(texts()).toEqual(['one', 'heard one', 'two again', 'heard one, two again']);
    // One for each time that the second question was asked.
    expect(hook.getMessagesMetadata(hook.messages[2]!, 2)?.branchOptions).toHaveLength(3);
    hook.dispose();
  });

  it('fork with useStream, from the checkpoint that each message knows', async () => {
    const server = await serve();
    const client = connectTo(server);
    const hook = createStream({ assistantId: 'listening', client });
    const texts = () => getSnapshot(hook).messages.map(({ text }) => text);
    await hook.submit(human('one'));
    await hook.submit(human('two'));
    await shows(hook, () => texts().at(-1) === 'heard one, two');
    const { messages } = getSnapshot(hook);
    const known = hook.messageMetadataStore.getSnapshot().get(messages[2]!.id!);
    await hook.submit(human('two again'), { forkFrom: known?.parentCheckpointId ?? '' });
    await shows(hook, () => texts().join() === 'one,heard one,two again,heard one, two again');
  });
});

describe.each(SDKS)('the AI SDK, version %s', (_, sdk) => {
  it('regenerates an answer and edits a question in the place of the earlier one', async () => {
    const { origin } = await serve();
    const chat = createChat(sdk)({ url: origin });
    await chat.sendMessage({ text: 'one' });
    await chat.sendMessage({ text: 'two' });
    await chat.regenerate();
    expect(chat.errors).toEqual([]);
    expect(chat.messages.map(readText)).toEqual(['one', 'heard one', 'two', 'heard one, two']);
    await chat.sendMessage({ text: 'two again', messageId: chat.messages[2]!.id });
    expect(chat.messages.map(readText)).toEqual(['one', 'heard one', 'two again', 'heard one, two again']);
    await chat.regenerate({ messageId: chat.messages[1]!.id });
    expect(chat.messages.map(readText)).toEqual(['one', 'heard one']);
    const stored = await fetch(`${origin}/protocols/ai-sdk/chat/chat-1/messages`);
    expect(((await stored.json()) as typeof chat.messages).map(readText)).toEqual(['one', 'heard one']);
  });
});

describe('AG-UI', () => {
  it('edits a message that the thread knows, and goes on from an earlier run', async () => {
    const { origin } = await serve();
    const agent = new HttpAgent({ url: `${origin}/protocols/ag-ui`, threadId: 'thread-1' });
    const ask = async (id: string, content: string, input: object = {}) => {
      agent.setMessages([...agent.messages, { id, role: 'user', content }]);
      await agent.runAgent(input);
      return agent.messages.at(-1)?.content;
    };
    await ask('q1', 'one', { runId: 'first' });
    expect(await ask('q2', 'two')).toBe('heard one, two');
    agent.setMessages(agent.messages.slice(0, 2));
    expect(await ask('q2', 'two again')).toBe('heard one, two again');
    const response = await fetch(`${origin}/protocols/ag-ui`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({
        threadId: 'thread-1',
        runId: 'later',
        parentRunId: 'first',
        messages: [{ id: 'q3', role: 'user', content: 'three' }],
        tools: [],
        context: [],
        state: {},
        forwardedProps: {},
      }),
    });
    expect(await response.text()).toContain('heard one, three');
  });

  it('finds the run of a repeated request when the thread has changed since', async () => {
    const { origin } = await serve();
    const ask = async (runId: string, content: string, parentRunId?: string) => {
      const response = await fetch(`${origin}/protocols/ag-ui`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({
          threadId: 'thread-1',
          runId,
          ...(parentRunId !== undefined && { parentRunId }),
          messages: [{ id: `question of ${runId}`, role: 'user', content }],
        }),
      });
      return response.text();
    };
    await ask('first', 'one');
    const once = await ask('second', 'two', 'third');
    expect(once).toContain('heard one, two');
    await ask('third', 'three');
    expect(await ask('second', 'two', 'third')).toContain('heard one, two');
    expect(await ask('second', 'another', 'third')).toContain('IDEMPOTENCY_CONFLICT');
  });
});

function getLast(values: unknown): unknown {
  return (values as { messages: Message[] }).messages.at(-1)?.content;
}
