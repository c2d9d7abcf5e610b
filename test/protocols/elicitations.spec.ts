import { TaskState, type Task } from '@a2a-js/sdk';
import { HttpAgent, type RunFinishedEvent } from '@ag-ui/client';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Client } from '@langchain/langgraph-sdk';
import OpenAI from 'openai';
import { createChatAgent } from '../../src/agents/langgraph/index.js';
import { createModel } from '../../src/agents/langgraph/model.factory.js';
import {
  calls,
  closeProviders,
  says,
  startProvider,
  type WireRequest,
} from '../../src/agents/langgraph/scripted-provider.testing.js';
import type { McpServerOptions } from '../../src/index.js';
import { InputExpiry } from '../../src/runs/input-expiry.js';
import { askingServers, type AskingMcp, type Question } from '../support/asking-mcp.server.js';
import { chatServers, type ChatServer, type ChatServerOptions } from '../support/chat.server.js';
import { CLIENTS, readText as readTask, toMessage } from './a2a-clients.js';
import { createChat, listTools, readText, SDKS } from './ai-sdk-chat.js';

const DATE: Question = {
  message: 'That day is taken. Another one?',
  requestedSchema: {
    type: 'object',
    properties: { day: { type: 'string', title: 'Day', enum: ['Tuesday', 'Friday'] } },
    required: ['day'],
  },
};
const GUESTS: Question = {
  message: 'How many of you?',
  requestedSchema: {
    type: 'object',
    properties: { guests: { type: 'integer', minimum: 1 } },
    required: ['guests'],
  },
};

/** Calls the tool, and then repeats what came of it. */
function books({ messages }: WireRequest) {
  const last = messages.at(-1);
  return last?.role === 'tool'
    ? says(`[${last.content as string}]`)
    : calls('c1', 'hall_book', '{"what":"table"}');
}

/** The same, of the thing that the person names. */
function booksWhatIsSaid(request: WireRequest) {
  const said = request.messages.findLast(({ role }) => role === 'user')?.content;
  return request.messages.at(-1)?.role === 'tool'
    ? books(request)
    : calls('c1', 'hall_book', JSON.stringify({ what: said }));
}

afterEach(closeProviders);

describe('a question of an MCP server', () => {
  const start = chatServers();
  const startMcp = askingServers();

  const asksTwice = () =>
    startMcp(async (ask) => {
      const first = await ask(DATE);
      if (first.action !== 'accept') return first.action;
      const second = await ask(GUESTS);
      return second.action === 'accept' ? JSON.stringify([first.content, second.content]) : second.action;
    });

  async function serve(
    { url }: Pick<AskingMcp, 'url'>,
    { tool, ...options }: ChatServerOptions & { tool?: McpServerOptions['defaults'] } = {},
    script = books,
  ): Promise<ChatServer> {
    const provider = await startProvider(script);
    const model = await createModel('openai:scripted', {
      baseUrl: provider.baseUrl,
      apiKey: 'none',
      timeoutMs: 30_000,
    });
    return start({
      agents: (kit) => [createChatAgent({ ...kit, name: 'chat', description: 'Books.', model })],
      mcp: [{ name: 'hall', transport: { url }, ...(tool && { defaults: tool }) }],
      protocols: {},
      ...options,
    });
  }

  async function waiting(server: ChatServer, message = 'Book!') {
    const stream = await server.finishedRun({ message });
    return readAsked(stream);
  }

  async function readAsked(stream: Awaited<ReturnType<ChatServer['watch']>>) {
    const { events, text } = stream;
    const { data } = await stream.frame('ready');
    const asked = events.flatMap((each) => (each.event === 'input-request' ? [each.data] : []));
    const end = events.at(-1)?.data;
    return { events, text, runId: String(data['runId']), threadId: String(data['threadId']), asked, end };
  }

  const answer = (
    server: ChatServer,
    { runId, asked }: { runId: string; asked: Record<string, unknown>[] },
    body: object,
  ) => server.call('POST', `/runs/${runId}/inputs/${String(asked[0]?.['inputId'])}`, body);

  async function goOn(server: ChatServer, run: Awaited<ReturnType<typeof waiting>>, body: object) {
    const reply = await answer(server, run, body);
    expect(reply).toMatchObject({ status: 200 });
    const stream = await server.watch((reply.body['continuedBy'] as { runId: string }).runId);
    await stream.closed();
    return readAsked(stream);
  }

  it('ends the run, and makes the call again with each answer in its place', async () => {
    const mcp = await asksTwice();
    const server = await serve(mcp);
    const first = await waiting(server);
    expect(first.asked).toMatchObject([
      {
        kind: 'elicitation',
        toolCallId: 'c1',
        toolName: 'hall_book',
        message: DATE.message,
        schema: DATE.requestedSchema,
      },
    ]);
    expect(first.end).toMatchObject({ outcome: 'awaiting-input' });
    expect(first.events.filter(({ event }) => event === 'tool-end')).toMatchObject([
      { data: { toolCallId: 'c1', outcome: 'awaiting-input' } },
    ]);

    for (const wrong of [
      { decision: 'approve' },
      { decision: 'answer' },
      { decision: 'answer', value: 'Friday' },
      { decision: 'answer', value: { day: 'Sunday' } },
    ])
      expect(await answer(server, first, wrong)).toMatchObject({ status: 400 });

    const second = await goOn(server, first, { decision: 'answer', value: { day: 'Friday' } });
    expect(second.asked).toMatchObject([{ kind: 'elicitation', message: GUESTS.message }]);
    const third = await goOn(server, second, { decision: 'answer', value: { guests: 3 } });
    expect(third.text).toBe('[[{"day":"Friday"},{"guests":3}]]');
    expect(third.end).toMatchObject({ outcome: 'completed' });
    expect(mcp.begun).toHaveLength(3);
    // Each run says only what was answered since the one before.
    const answers = third.events.filter(({ event }) => event === 'input-answer');
    expect(answers).toMatchObject([{ data: { kind: 'elicitation', inputId: second.asked[0]?.['inputId'] } }]);
  });

  it('tells the server that the person declined, or that nobody answered in time', async () => {
    const mcp = await asksTwice();
    const server = await serve(mcp, { approvals: { expiresInMs: 60_000 } });
    const declined = await goOn(server, await waiting(server), { decision: 'deny' });
    expect(declined.text).toBe('[decline]');

    const late = await serve(mcp, { approvals: { expiresInMs: 1 } });
    const { threadId } = await waiting(late);
    await late.app.get(InputExpiry, { strict: false }).sweep();
    const { body } = await late.call('GET', `/threads/${threadId}`);
    const { runId } = (body['messages'] as { runId: string }[]).at(-1)!;
    const stream = await late.watch(runId);
    await stream.closed();
    expect(stream.text).toBe('[cancel]');
  });

  it('keeps the approval of a call that asks', async () => {
    const mcp = await asksTwice();
    const server = await serve(mcp, { tool: { approval: true } });
    const approval = await waiting(server);
    expect(approval.asked).toMatchObject([{ kind: 'approval' }]);
    const first = await goOn(server, approval, { decision: 'approve' });
    const second = await goOn(server, first, { decision: 'answer', value: { day: 'Friday' } });
    expect(second.asked).toMatchObject([{ kind: 'elicitation', message: GUESTS.message }]);
    const third = await goOn(server, second, { decision: 'answer', value: { guests: 3 } });
    expect(third.text).toBe('[[{"day":"Friday"},{"guests":3}]]');
  });

  it('asks again when the server asks something else in the place of what was answered', async () => {
    let tries = 0;
    const mcp = await startMcp(async (ask) => {
      tries += 1;
      const { content } = await ask(tries === 1 ? DATE : { ...DATE, message: 'And now?' });
      return JSON.stringify(content);
    });
    const server = await serve(mcp);
    const first = await waiting(server);
    const second = await goOn(server, first, { decision: 'answer', value: { day: 'Friday' } });
    expect(second.asked).toMatchObject([{ message: 'And now?' }]);
    const third = await goOn(server, second, { decision: 'answer', value: { day: 'Tuesday' } });
    expect(third.text).toBe('[{"day":"Tuesday"}]');
  });

  it('is cancelled at once where the call must not be made twice', async () => {
    const mcp = await asksTwice();
    const server = await serve(mcp, { tool: { sideEffect: 'once' } });
    const stream = await server.finishedRun({ message: 'Book!' });
    expect(stream.text).toBe('[cancel]');
    expect(mcp.begun).toEqual(['table']);
  });

  it('belongs to the call that it was asked in, while others are under way', async () => {
    const both = Promise.withResolvers<void>();
    let arrived = 0;
    const mcp = await startMcp(async (ask, what) => {
      arrived += 1;
      if (arrived === 2) both.resolve();
      await both.promise;
      return JSON.stringify((await ask({ ...DATE, message: `For ${what}?` })).content);
    });
    const server = await serve(mcp, {}, booksWhatIsSaid);
    const runs = await Promise.all([waiting(server, 'hall'), waiting(server, 'room')]);
    expect(runs.map(({ asked }) => asked)).toMatchObject([
      [{ message: 'For hall?' }],
      [{ message: 'For room?' }],
    ]);
  });

  it('is refused where it does not say to which of several calls it belongs, and their server gets one call at a time', async () => {
    const both = Promise.withResolvers<void>();
    let arrived = 0;
    const mcp = await startMcp(async (ask, what) => {
      arrived += 1;
      if (arrived === 2) both.resolve();
      await both.promise;
      return JSON.stringify((await ask({ ...DATE, message: `For ${what}?` }, true)).content);
    });
    const server = await serve(mcp, {}, booksWhatIsSaid);
    const unclear = await Promise.all([waiting(server, 'hall'), waiting(server, 'room')]);
    // The first one was refused. Then the other is the only one, and may ask.
    expect(unclear.flatMap(({ asked }) => asked).length).toBeLessThan(2);
    expect(unclear.map(({ text }) => text).join()).toContain('does not say to which');
    for (const { asked, text } of unclear) if (asked.length > 0) expect(text).not.toContain('does not say');
    const clear = await Promise.all([waiting(server, 'hall'), waiting(server, 'room')]);
    expect(clear.map(({ asked }) => asked)).toMatchObject([
      [{ message: 'For hall?' }],
      [{ message: 'For room?' }],
    ]);
  });

  it('is answered in AG-UI, and the call has one result', async () => {
    const mcp = await asksTwice();
    const server = await serve(mcp);
    const agent = new HttpAgent({ url: `${server.origin}/protocols/ag-ui`, threadId: 'thread-1' });
    const ends: RunFinishedEvent[] = [];
    agent.subscribe({ onRunFinishedEvent: ({ event }) => void ends.push(event) });
    agent.addMessage({ id: 'q', role: 'user', content: 'Book!' });
    await agent.runAgent();
    const open = () => (ends.at(-1)!.outcome as unknown as { interrupts: { id: string }[] }).interrupts;
    expect(open()).toMatchObject([
      { reason: 'input_required', message: DATE.message, responseSchema: DATE.requestedSchema },
    ]);
    const resume = (payload: object) => ({
      interruptId: open()[0]!.id,
      status: 'resolved' as const,
      payload,
    });
    await agent.runAgent({ resume: [resume({ day: 'Friday' })] });
    await agent.runAgent({ resume: [resume({ guests: 2 })] });
    expect(agent.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant']);
    expect(agent.messages.at(-1)?.content).toBe('[[{"day":"Friday"},{"guests":2}]]');
  });

  it("is answered as a command in LangGraph's protocol", async () => {
    const mcp = await asksTwice();
    const server = await serve(mcp);
    const client = new Client({ apiUrl: `${server.origin}/protocols/langgraph`, apiKey: null });
    const { thread_id: threadId } = await client.threads.create();
    const input = { messages: [{ type: 'human', content: 'Book!' }] };
    for await (const _ of client.runs.stream(threadId, 'chat', { input }));
    const { tasks } = await client.threads.getState(threadId);
    expect(tasks).toMatchObject([
      {
        interrupts: [
          { value: { type: 'elicitation', message: DATE.message, requestedSchema: DATE.requestedSchema } },
        ],
      },
    ]);
    for (const resume of [{ day: 'Friday' }, { guests: 2 }])
      for await (const _ of client.runs.stream(threadId, 'chat', { command: { resume } }));
    const { values } = await client.threads.getState<{ messages: { type: string; content: string }[] }>(
      threadId,
    );
    expect(values.messages.map(({ type }) => type)).toEqual(['human', 'ai', 'tool', 'ai']);
    expect(values.messages.at(-1)?.content).toBe('[[{"day":"Friday"},{"guests":2}]]');
  });

  it('is a function call in OpenAI Responses, and its output is the answer', async () => {
    const mcp = await asksTwice();
    const server = await serve(mcp);
    const openai = new OpenAI({
      baseURL: `${server.origin}/protocols/openai/v1`,
      apiKey: 'none',
      maxRetries: 0,
    });
    let response = await openai.responses.create({ model: 'chat', input: 'Book!' });
    for (const value of [{ day: 'Friday' }, { guests: 2 }]) {
      const call = response.output.find((item) => item.type === 'function_call');
      expect(call).toMatchObject({ name: 'request_input' });
      response = await openai.responses.create({
        model: 'chat',
        previous_response_id: response.id,
        input: [{ type: 'function_call_output', call_id: call!.call_id, output: JSON.stringify(value) }],
      });
    }
    expect(response.output_text).toBe('[[{"day":"Friday"},{"guests":2}]]');
  });

  it.each(SDKS)(
    'is a call of its own in AI SDK %s, and the call that asked gets its output in the same message',
    async (_version, sdk) => {
      const mcp = await startMcp(async (ask) => JSON.stringify((await ask(DATE)).content));
      const server = await serve(mcp);
      const chat = createChat(sdk)({ url: server.origin });
      await chat.sendMessage({ text: 'Book!' });
      const [call, asked] = listTools(chat.lastMessage);
      expect(call).toMatchObject({ toolCallId: 'c1', state: 'input-available' });
      expect(asked).toMatchObject({ input: { kind: 'elicitation', message: DATE.message } });
      const { runId } = chat.lastMessage!.metadata as { runId: string };
      const answered = await answer(
        server,
        { runId, asked: [{ inputId: asked!.toolCallId }] },
        { decision: 'answer', value: { day: 'Friday' } },
      );
      expect(answered.status).toBe(200);
      await chat.resumeStream();
      expect(chat.errors).toEqual([]);
      expect(listTools(chat.lastMessage)).toMatchObject([
        { toolCallId: 'c1', state: 'output-available' },
        { toolName: 'request_input', state: 'output-available', output: { day: 'Friday' } },
      ]);
      expect(readText(chat.lastMessage)).toBe('[{"day":"Friday"}]');
    },
  );

  it.each(CLIENTS)(
    'requires input in A2A %s, and takes a data part as the answer',
    async (_version, connect) => {
      const mcp = await startMcp(async (ask) => JSON.stringify((await ask(DATE)).content));
      const server = await serve(mcp);
      const client = await connect(server.origin);
      const asked = (await client.sendMessage(toMessage('Book!', { contextId: 'context-1' }))) as Task;
      expect(TaskState[asked.status?.state ?? -1]).toBe('TASK_STATE_INPUT_REQUIRED');
      const data = asked.status!.message!.parts.flatMap(({ content }) =>
        content?.$case === 'data' ? [content.value as { inputId: string }] : [],
      );
      expect(data).toMatchObject([
        { kind: 'elicitation', message: DATE.message, schema: DATE.requestedSchema },
      ]);
      const given = { inputId: data[0]!.inputId, decision: 'answer', value: { day: 'Friday' } };
      const done = (await client.sendMessage(toMessage(undefined, { taskId: asked.id }, given))) as Task;
      expect(done.artifacts.map(readTask).join('')).toBe('[{"day":"Friday"}]');
    },
  );
});
