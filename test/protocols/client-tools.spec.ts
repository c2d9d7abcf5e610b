import { afterEach, describe, expect, it } from '@jest/globals';
import { HttpAgent, type Message } from '@ag-ui/client';
import { EventSource } from 'eventsource';
import OpenAI from 'openai';
import { createChatAgent, LangGraphAgent } from '../../src/agents/langgraph/index.js';
import { createModel } from '../../src/agents/langgraph/model.factory.js';
import {
  calls,
  closeProviders,
  says,
  startProvider,
  type ScriptedProvider,
  type ScriptedReply,
  type WireRequest,
} from '../../src/agents/langgraph/scripted-provider.testing.js';
import { ChatService, getText, RunHandle } from '../../src/client/index.js';
import { AgentTool } from '../../src/index.js';
import { MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { chatServers, type ChatServer } from '../support/chat.server.js';
import { createChat, listTools, readText, SDKS } from './ai-sdk-chat.js';
import { until } from '../support/until.js';

const PARAMETERS = {
  type: 'object',
  properties: { color: { type: 'string', enum: ['red', 'blue'] } },
  required: ['color'],
};
const PAINT = { name: 'paint', description: 'Paints the page.', inputSchema: PARAMETERS };
const ARGS = '{"color":"red"}';

@Injectable()
class Weather {
  @AgentTool({ name: 'weather', label: 'Looking…', description: 'Weather.', input: z.object({}) })
  weather(): string {
    return 'rain';
  }
}

/** Calls the client's tool, and then says what came of it. */
function paints({ messages }: WireRequest): ScriptedReply {
  const last = messages.at(-1);
  return last?.role === 'tool'
    ? says(`It said ${JSON.stringify(last.content)}.`)
    : calls('c1', 'paint', ARGS);
}

afterEach(closeProviders);

describe('tools of the client', () => {
  const start = chatServers();

  async function serve(script = paints): Promise<{ server: ChatServer; provider: ScriptedProvider }> {
    const provider = await startProvider(script);
    const model = await createModel('openai:scripted', {
      baseUrl: provider.baseUrl,
      apiKey: 'none',
      timeoutMs: 30_000,
    });
    const idle = new StateGraph(MessagesAnnotation).addNode('idle', () => ({})).addEdge(START, 'idle');
    const server = await start({
      agents: (kit) => [
        createChatAgent({ ...kit, name: 'chat', description: 'Paints.', model }),
        new LangGraphAgent({ ...kit, name: 'graph', description: 'Does nothing.', graph: idle.compile() }),
      ],
      tools: [Weather],
      protocols: {},
    });
    return { server, provider };
  }

  const answer = (server: ChatServer, runId: string, inputId: unknown, body: object) =>
    server.call('POST', `/runs/${runId}/inputs/${String(inputId)}`, body);

  async function waiting(server: ChatServer, body: object = {}) {
    const stream = await server.ask({ message: 'Paint!', clientTools: [PAINT], ...body });
    await stream.closed();
    const { data } = await stream.frame('ready');
    const asked = stream.events.filter(({ event }) => event === 'input-request');
    return { runId: String(data['runId']), threadId: String(data['threadId']), stream, asked };
  }

  async function watched(server: ChatServer, continuedBy: unknown) {
    const stream = await server.watch((continuedBy as { runId: string }).runId);
    await stream.closed();
    return stream;
  }

  it('shows a declared tool to the model, asks the client for its result, and goes on with that', async () => {
    const { server, provider } = await serve();
    const { runId, threadId, stream, asked } = await waiting(server);
    expect(provider.requests[0]?.tools).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          function: expect.objectContaining({
            name: 'paint',
            description: 'Paints the page.',
            parameters: PARAMETERS,
          }),
        }),
      ]),
    );
    expect(asked).toMatchObject([
      { data: { kind: 'client-tool', toolName: 'paint', toolCallId: 'c1', input: { color: 'red' } } },
    ]);
    expect(stream.events.at(-1)?.data).toMatchObject({ type: 'end', outcome: 'awaiting-input' });
    expect(stream.events.map(({ event }) => event)).not.toContain('tool-start');

    const value = { painted: true };
    const { body } = await answer(server, runId, asked[0]?.data['inputId'], { decision: 'answer', value });
    const next = await watched(server, body['continuedBy']);
    expect(next.text).toBe('It said "{\\"painted\\":true}".');
    expect(next.events.map(({ data }) => data)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'tool-start', toolCallId: 'c1', input: { color: 'red' } }),
        expect.objectContaining({ type: 'tool-end', outcome: 'ok', output: value }),
      ]),
    );
    // The tools are those of the run: the next message has its own.
    const later = await server.ask({ message: 'And now?', threadId });
    await later.closed();
    expect(JSON.stringify(provider.requests.at(-1)?.tools)).not.toContain('paint');
    expect(provider.refusals).toEqual([]);
  });

  it('tells the model that the client made no call, and why', async () => {
    const { server, provider } = await serve();
    const { runId, asked } = await waiting(server);
    const denied = { decision: 'deny', reason: 'No brush.' };
    const { body } = await answer(server, runId, asked[0]?.data['inputId'], denied);
    const next = await watched(server, body['continuedBy']);
    expect(next.text).toContain("The client did not make the call of 'paint'. No brush.");
    expect(next.events.find(({ event }) => event === 'tool-end')?.data).toMatchObject({ outcome: 'denied' });
    expect(provider.refusals).toEqual([]);
  });

  it('tells the model about arguments that do not fit, and asks the client for nothing', async () => {
    const { server } = await serve(({ messages }) =>
      messages.at(-1)?.role === 'tool' ? says('Well.') : calls('c1', 'paint', '{"color":"green"}'),
    );
    const { stream, asked } = await waiting(server);
    expect(asked).toEqual([]);
    expect(stream.text).toBe('Well.');
    expect(stream.events.find(({ event }) => event === 'tool-end')?.data).toMatchObject({
      outcome: 'invalid-input',
    });
  });

  it.each<[string, object, RegExp]>([
    [
      'a name that the agent has',
      { clientTools: [{ name: 'weather' }] },
      /weather: The agent has a tool of this name/,
    ],
    ['a name twice', { clientTools: [PAINT, PAINT] }, /paint: The name is there twice/],
    ['a name that no model takes', { clientTools: [{ name: 'a b' }] }, /letters, digits/],
    [
      'an agent that takes none',
      { agent: 'graph', clientTools: [PAINT] },
      /'graph' takes no tools of its client/,
    ],
    [
      'a schema that cannot be sent',
      { clientTools: [{ name: 'x', inputSchema: { properties: { 'a b': {} } } }] },
      /x: Providers take no field named/,
    ],
  ])('refuses %s, before the run', async (_what, body, words) => {
    const { server } = await serve();
    const refused = await server.call('POST', '', { message: 'Paint!', ...body });
    expect([refused.status, JSON.stringify(refused.body)]).toEqual([400, expect.stringMatching(words)]);
  });

  it('lets an AG-UI client run its tool, and takes the result with the next messages', async () => {
    const { server, provider } = await serve();
    const agent = new HttpAgent({
      url: `${server.origin}/protocols/ag-ui`,
      threadId: 'thread-1',
      initialMessages: [{ id: 'user-1', role: 'user', content: 'Paint!' }],
    });
    const tools = [{ name: 'paint', description: PAINT.description, parameters: PARAMETERS }];
    const { newMessages } = await agent.runAgent({ tools });
    const asked = newMessages.flatMap((message) =>
      message.role === 'assistant' ? (message.toolCalls ?? []) : [],
    );
    expect(asked).toMatchObject([{ id: 'c1', function: { name: 'paint', arguments: ARGS } }]);
    const result: Message = { id: 'result-1', role: 'tool', toolCallId: 'c1', content: 'painted' };
    agent.addMessage(result);
    await agent.runAgent({ tools });
    const roles = agent.messages.map(({ role }) => role);
    expect(roles).toEqual(['user', 'assistant', 'tool', 'assistant']);
    expect(agent.messages.at(-1)).toMatchObject({ content: 'It said "painted".' });
    expect(provider.refusals).toEqual([]);
  });

  it('lets an OpenAI Responses client run its function, and takes its output', async () => {
    const { server } = await serve();
    const client = new OpenAI({
      baseURL: `${server.origin}/protocols/openai/v1`,
      apiKey: 'none',
      maxRetries: 0,
    });
    const tools = [
      { type: 'function', name: 'paint', description: null, parameters: PARAMETERS, strict: false } as const,
    ];
    const asked = await client.responses.create({ model: 'chat', input: 'Paint!', tools });
    const [call] = asked.output;
    expect(call).toMatchObject({ type: 'function_call', name: 'paint', arguments: ARGS });
    expect(asked.tools).toMatchObject([{ type: 'function', name: 'paint', parameters: PARAMETERS }]);
    const { call_id } = call as OpenAI.Responses.ResponseFunctionToolCall;
    const next = await client.responses.create({
      model: 'chat',
      previous_response_id: asked.id,
      tools,
      input: [{ type: 'function_call_output', call_id, output: 'painted' }],
    });
    expect(next.output_text).toBe('It said "painted".');
    expect(next.output.map(({ type }) => type)).toEqual(['message']);
  });

  it('lets our own client run them, run after run, until the answer is complete', async () => {
    const { server } = await serve();
    const client = new ChatService({ baseUrl: server.url, EventSource });
    const { clientTools, painted } = { clientTools: [PAINT], painted: [] as unknown[] };
    let handle = await client.start('Paint!', { clientTools });
    let view = await handle.result();
    expect(view.status).toBe('awaiting-input');
    const { inputs = [] } = await client.thread(handle.threadId);
    expect(inputs).toMatchObject([{ kind: 'client-tool', toolName: 'paint', runId: handle.runId }]);
    for (const part of view.parts) {
      if (part.kind !== 'client-tool') continue;
      painted.push(part.input);
      const answered = await client.answer(handle.runId, part.inputId, {
        decision: 'answer',
        value: { done: true },
      });
      handle = new RunHandle(client, answered.continuedBy!);
    }
    view = await handle.result();
    expect(painted).toEqual([{ color: 'red' }]);
    expect(view.status).toBe('completed');
    expect(getText(view)).toMatch(/^It said .*done/);
  });

  it.each(SDKS)(
    'lets an AI SDK %s client run its tool, and goes on in the same message',
    async (_version, sdk) => {
      const { server } = await serve();
      const chat = createChat(sdk)({
        url: server.origin,
        body: { tools: { paint: { description: 'Paints.', parameters: PARAMETERS } } },
        sendAutomaticallyWhen: sdk.lastAssistantMessageIsCompleteWithToolCalls,
      });
      await chat.sendMessage({ text: 'Paint!' });
      expect(chat.errors).toEqual([]);
      expect(listTools(chat.lastMessage)).toMatchObject([
        { toolName: 'paint', state: 'input-available', input: { color: 'red' } },
      ]);
      await chat.addToolOutput({ tool: 'paint' as never, toolCallId: 'c1', output: 'painted' });
      await until(() => chat.status === 'error' || readText(chat.lastMessage).includes('painted'));
      await until(() => chat.status !== 'streaming');
      expect(chat.errors).toEqual([]);
      expect(chat.messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
      expect(listTools(chat.lastMessage)).toMatchObject([{ state: 'output-available', output: 'painted' }]);
    },
  );
});
