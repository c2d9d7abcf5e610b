import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { AuthOptions } from '../../src/auth/auth.options.js';
import { createAnswer } from '../../src/testing/scripted.agent.js';
import type { ChatServer, Play } from '../support/chat.server.js';
import { EventStream } from '../support/event-stream.js';
import { sayOneByOne } from '../support/plays.js';
import { protocolServers } from './protocol-servers.js';
import { postJson } from '../support/post-json.js';

/** The bearer token names the user, and the tenant after a slash. */
const BEARER_IS_USER: AuthOptions = {
  kind: 'host',
  getPrincipal: ({ headers }) => {
    const [userId, tenant = 'here'] = (headers.authorization ?? '').replace('Bearer ', '').split('/');
    return userId ? { userId, tenant, roles: [] } : undefined;
  },
};

const ANN = { authorization: 'Bearer ann' };

/** Another user, and the same user of another tenant. */
const BOB = { authorization: 'Bearer bob' };
const STRANGERS = [BOB, { authorization: 'Bearer ann/there' }];

const messages = [{ id: 'm1', role: 'user', content: 'hello' }];
const agUi = {
  threadId: 't1',
  runId: 'run-1',
  messages,
  tools: [],
  context: [],
  state: {},
  forwardedProps: {},
};
const langGraph = { assistant_id: 'scripted', if_not_exists: 'create', input: { messages } };
const openAi = { model: 'scripted', conversation: 't1', input: 'hello' };
const a2a = (method: string) => ({
  jsonrpc: '2.0',
  id: 1,
  method,
  params: { message: { messageId: 'm1', role: 'ROLE_USER', contextId: 't1', parts: [{ text: 'hello' }] } },
});
const a2a03 = (method: string) => ({
  jsonrpc: '2.0',
  id: 1,
  method,
  params: {
    message: {
      kind: 'message',
      messageId: 'm1',
      role: 'user',
      contextId: 't1',
      parts: [{ kind: 'text', text: 'hello' }],
    },
  },
});

/** All the ways to start a run in a thread whose id the client has thought of. */
const STARTS: readonly (readonly [string, string, object])[] = [
  [
    'the AI SDK',
    'ai-sdk/chat',
    { id: 't1', messages: [{ id: 'm1', role: 'user', parts: [{ type: 'text', text: 'hello' }] }] },
  ],
  ['AG-UI', 'ag-ui', agUi],
  ['CopilotKit', 'ag-ui/copilotkit/agent/default/run', agUi],
  [
    "LangGraph's commands",
    'langgraph/threads/t1/commands',
    { id: 1, method: 'run.start', params: langGraph },
  ],
  ["LangGraph's runs/stream", 'langgraph/threads/t1/runs/stream', langGraph],
  ["LangGraph's runs", 'langgraph/threads/t1/runs', langGraph],
  ['OpenAI Responses', 'openai/v1/responses', openAi],
  ['OpenAI Responses, streamed', 'openai/v1/responses', { ...openAi, stream: true }],
  ['OpenAI Responses, in the background', 'openai/v1/responses', { ...openAi, background: true }],
  ['A2A', 'a2a', a2a('SendMessage')],
  ['A2A, streamed', 'a2a', a2a('SendStreamingMessage')],
  ['A2A 0.3', 'a2a', a2a03('message/send')],
  ['A2A 0.3, streamed', 'a2a', a2a03('message/stream')],
];

/** Ann's runs of `here` go on for as long as they may. Everybody else's say a word. */
const play: Play = async (_, context) => {
  const { userId, tenant } = context.principal;
  if (userId === 'ann' && tenant === 'here') await once(context.signal, 'abort');
  else await sayOneByOne(context, createAnswer(context, ['Good day.']));
};

describe('thread id that another principal uses', () => {
  const serve = protocolServers();
  const open = () => serve(play, { auth: BEARER_IS_USER });

  async function post(server: ChatServer, path: string, body: object, headers: Record<string, string>) {
    const response = await postJson(`${server.origin}/${path}`, body, headers);
    return { status: response.status, text: anonymous(await response.text()) };
  }

  /** A server on which Ann is at work in `t1`. */
  async function taken(): Promise<ChatServer> {
    const server = await open();
    expect((await post(server, 'protocols/langgraph/threads/t1/runs', langGraph, ANN)).status).toBe(200);
    return server;
  }

  const listThreads = async (server: ChatServer, headers: Record<string, string>) =>
    (await server.call('GET', '/threads', undefined, headers)).body['items'] as Record<string, unknown>[];

  it.each(STARTS)(
    "starts a thread of the caller's own by %s under an id that another principal uses",
    async (_protocol, path, body) => {
      const [free, busy] = [await open(), await taken()];
      for (const stranger of STRANGERS) {
        const alone = await post(free, `protocols/${path}`, body, stranger);
        expect(alone.status).toBe(200);
        expect(await post(busy, `protocols/${path}`, body, stranger)).toEqual(alone);
        expect(await listThreads(busy, stranger)).toMatchObject([{ id: 't1', title: 'hello' }]);
      }
      const [own, ...others] = await listThreads(busy, ANN);
      expect([own?.['id'], others]).toEqual(['t1', []]);
      const { body: thread } = await busy.call('GET', '/threads/t1', undefined, ANN);
      expect(thread['messages']).toHaveLength(2);
      expect(own?.['activeRunId']).toBeDefined();
    },
  );

  it.each(['', '/runs'])(
    'answers a thread id of another principal like an unknown one on POST %s of the native API',
    async (path) => {
      const [free, busy] = [await open(), await taken()];
      for (const stranger of STRANGERS) {
        const body = { message: 'hello', threadId: 't1' };
        const alone = await post(free, `api/chat${path}`, body, stranger);
        expect(alone.status).toBe(404);
        expect(await post(busy, `api/chat${path}`, body, stranger)).toEqual(alone);
      }
    },
  );

  it("deletes the owner's thread only when two principals use the same thread id", async () => {
    const server = await taken();
    await post(server, 'protocols/ag-ui', agUi, BOB);
    expect((await server.call('DELETE', '/threads/t1', undefined, BOB)).status).toBe(204);
    expect((await server.call('DELETE', '/threads/t1', undefined, BOB)).status).toBe(404);
    expect(await listThreads(server, ANN)).toMatchObject([{ id: 't1', activeRunId: expect.any(String) }]);
    await post(server, 'protocols/ag-ui', { ...agUi, runId: 'run-2' }, BOB);
    expect((await server.call('DELETE', '/threads/t1', undefined, ANN)).status).toBe(204);
    expect(await listThreads(server, BOB)).toMatchObject([{ id: 't1' }]);
  });

  it("streams only the reader's thread when two principals use the same thread id", async () => {
    const server = await open();
    const stream = await EventStream.open(`${server.origin}/protocols/langgraph/threads/t1/stream/events`, {
      method: 'POST',
      body: { channels: ['values', 'lifecycle'] },
      headers: BOB,
    });
    await stream.frame('ready');
    await post(server, 'protocols/langgraph/threads/t1/runs', langGraph, ANN);
    await post(server, 'protocols/ag-ui', { ...agUi, messages: [{ ...messages[0], content: 'mine' }] }, BOB);
    await stream.until(() => stream.raw.includes('"event":"completed"'));
    stream.leave();
    expect(stream.raw).toContain('mine');
    expect(JSON.stringify(stream.frames.slice(1))).not.toContain('"content":"hello"');
  });
});

/** Without what differs from one run to another: ids, times, and the event ids that have both. */
function anonymous(text: string): string {
  return text
    .replaceAll(/[a-z0-9]{20}(\.[a-z0-9]+)*/g, 'id')
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'uuid')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'time')
    .replaceAll(/\d+/g, '0');
}
