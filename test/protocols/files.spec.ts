import { describe, expect, it } from '@jest/globals';
import OpenAI from 'openai';
import { createAnswer, ScriptedAgent } from '../../src/testing/scripted.agent.js';
import type { ChatServer } from '../support/chat.server.js';
import { EventStream } from '../support/event-stream.js';
import { postJson } from '../support/post-json.js';
import { createChat, SDKS } from './ai-sdk-chat.js';
import { protocolServers } from './protocol-servers.js';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const BASE64 = PNG.toString('base64');
const DATA_URL = `data:image/png;base64,${BASE64}`;

/** Says what it was sent. */
const agent = (name: string, accepts: readonly string[]) =>
  new ScriptedAgent(
    async ({ message, given }, context) => {
      const words = [`${message}:`];
      for (const { fileId = '', mediaType, name: file } of given?.files ?? []) {
        const found = await context.readFile?.(fileId);
        words.push(` ${file ?? 'nameless'} ${mediaType} ${found?.data.byteLength ?? 'gone'}`);
      }
      for (const event of createAnswer(context, words)) void context.emit(event);
    },
    { name, accepts },
  );

const EXPECTED = `Look: a.png image/png ${PNG.byteLength}`;
const NAMELESS = `Look: nameless image/png ${PNG.byteLength}`;

interface Way {
  readonly name: string;
  readonly path: string;
  readonly body: (agent: string) => object;
  readonly said: string;
  /** The code of a refusal, where the protocol has put it. */
  readonly refusal: (body: Record<string, unknown>) => unknown;
  /** The status of a refusal. Default 422. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const problem = ({ code }: Record<string, unknown>) => code;
const openAiError = ({ error }: Record<string, unknown>) => (error as { code: string }).code;

const contentTypeError = ({ error }: Record<string, unknown>) =>
  (error as { code: number }).code === -32005 && 'FILE_NOT_ACCEPTED';

const chatCompletions = (part: object) => (model: string) => ({
  model,
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Look' }, part] }],
});
const responses = (part: object) => (model: string) => ({
  model,
  input: [{ role: 'user', content: [{ type: 'input_text', text: 'Look' }, part] }],
});
const agUi = (part: object) => (_agent: string) => ({
  threadId: 't-1',
  runId: 'r-1',
  messages: [{ id: 'q', role: 'user', content: [{ type: 'text', text: 'Look' }, part] }],
  tools: [],
  context: [],
  state: {},
});
const langGraph = (part: object) => (assistant_id: string) => ({
  assistant_id,
  if_not_exists: 'create',
  input: { messages: [{ type: 'human', content: [{ type: 'text', text: 'Look' }, part] }] },
});
const a2a = (method: string, part: object) => () => ({
  jsonrpc: '2.0',
  id: 1,
  method,
  params: { message: { messageId: 'm-1', role: 'ROLE_USER', parts: [{ text: 'Look' }, part] } },
});

const WAYS: readonly Way[] = [
  {
    name: "the AI SDK's file part",
    path: 'ai-sdk/chat',
    body: (name) => ({
      id: 'chat-1',
      agent: name,
      messages: [
        {
          id: 'm',
          role: 'user',
          parts: [
            { type: 'file', mediaType: 'image/png', url: DATA_URL, filename: 'a.png' },
            { type: 'text', text: 'Look' },
          ],
        },
      ],
    }),
    said: EXPECTED,
    refusal: problem,
  },
  {
    name: "OpenAI's image_url",
    path: 'openai/v1/chat/completions',
    body: chatCompletions({ type: 'image_url', image_url: { url: DATA_URL } }),
    said: NAMELESS,
    refusal: openAiError,
  },
  {
    name: "OpenAI's file",
    path: 'openai/v1/chat/completions',
    body: chatCompletions({ type: 'file', file: { file_data: DATA_URL, filename: 'a.png' } }),
    said: EXPECTED,
    refusal: openAiError,
  },
  {
    name: "OpenAI's input_image",
    path: 'openai/v1/responses',
    body: responses({ type: 'input_image', image_url: DATA_URL, detail: 'auto' }),
    said: NAMELESS,
    refusal: openAiError,
  },
  {
    name: "OpenAI's input_file",
    path: 'openai/v1/responses',
    body: responses({ type: 'input_file', file_data: DATA_URL, filename: 'a.png' }),
    said: EXPECTED,
    refusal: openAiError,
  },
  {
    name: "AG-UI's image",
    path: 'ag-ui',
    body: agUi({
      type: 'image',
      source: { type: 'data', value: BASE64, mimeType: 'image/png' },
      metadata: { filename: 'a.png' },
    }),
    said: EXPECTED,
    refusal: problem,
  },
  {
    name: "AG-UI's binary, before 1.0",
    path: 'ag-ui',
    body: agUi({ type: 'binary', mimeType: 'image/png', data: BASE64, filename: 'a.png' }),
    said: EXPECTED,
    refusal: problem,
  },
  {
    name: "LangChain's image",
    path: 'langgraph/threads/t-1/runs/wait',
    body: langGraph({ type: 'image', mimeType: 'image/png', data: BASE64, metadata: { name: 'a.png' } }),
    said: EXPECTED,
    refusal: problem,
  },
  {
    name: "LangChain's image before 1.0",
    path: 'langgraph/threads/t-1/runs/wait',
    body: langGraph({ type: 'image', source_type: 'base64', mime_type: 'image/png', data: BASE64 }),
    said: NAMELESS,
    refusal: problem,
  },
  {
    name: "A2A's raw part",
    path: 'a2a',
    body: a2a('SendMessage', { raw: BASE64, mediaType: 'image/png', filename: 'a.png' }),
    said: EXPECTED,
    refusal: contentTypeError,
    status: 200,
  },
  {
    name: "A2A's file part of version 0.3",
    path: 'a2a',
    body: a2a('message/send', {
      kind: 'file',
      file: { bytes: BASE64, mimeType: 'image/png', name: 'a.png' },
    }),
    said: EXPECTED,
    refusal: contentTypeError,
    status: 200,
  },
];

describe('files of a message in other protocols', () => {
  const serve = protocolServers();
  const start = (...agents: ScriptedAgent[]) => serve(() => {}, { agents: () => agents });
  const seeing = () => agent('seeing', ['image/*']);
  const post = (server: ChatServer, { path, body }: Way, name: string) =>
    postJson(`${server.origin}/protocols/${path}`, body(name));

  it.each(WAYS.map((way) => [way.name, way] as const))('%s reaches the agent, and no log', async (_, way) => {
    const server = await start(seeing());
    const response = await post(server, way, 'seeing');
    const text = await response.text();
    expect([response.status, text.includes(BASE64.slice(0, 40))]).toEqual([200, false]);
    const { body } = await server.call('GET', '/runs');
    const [run] = body['items'] as readonly { id: string; threadId: string }[];
    const thread = await server.call('GET', `/threads/${run?.threadId}`);
    expect(thread.body['messages']).toMatchObject([
      { role: 'user', text: 'Look', files: [{ mediaType: 'image/png', bytes: PNG.byteLength }] },
      { role: 'assistant', text: way.said },
    ]);
  });

  it.each(WAYS.map((way) => [way.name, way] as const))(
    '%s is refused in the words of its protocol by an agent that cannot read it',
    async (_, way) => {
      const server = await start(agent('blind', ['text/*']));
      const response = await post(server, way, 'blind');
      expect(response.status).toBe(way.status ?? 422);
      expect(way.refusal((await response.json()) as Record<string, unknown>)).toBe('FILE_NOT_ACCEPTED');
      expect((await server.call('GET', '/runs')).body['items']).toEqual([]);
    },
  );

  it.each(SDKS)(
    'are in the messages of AI SDK %s again, and are edited and regenerated with them',
    async (_, sdk) => {
      const server = await start(seeing());
      const chat = createChat(sdk)({ url: server.origin });
      const file = { type: 'file' as const, mediaType: 'image/png', url: DATA_URL, filename: 'a.png' };
      await chat.sendMessage({ text: 'Look', files: [file] });
      expect(chat.errors).toEqual([]);
      expect(JSON.stringify(chat.lastMessage?.parts)).toContain(EXPECTED);
      await chat.regenerate();
      expect(chat.errors).toEqual([]);
      expect(JSON.stringify(chat.lastMessage?.parts)).toContain(EXPECTED);
      const stored = await fetch(`${server.origin}/protocols/ai-sdk/chat/chat-1/messages`);
      const [question] = (await stored.json()) as readonly {
        readonly parts: readonly { readonly url?: string }[];
      }[];
      expect(question?.parts).toMatchObject([
        { type: 'file', mediaType: 'image/png', filename: 'a.png' },
        { type: 'text', text: 'Look' },
      ]);
      const shown = await fetch(new URL(question!.parts[0]!.url!, server.origin));
      expect(Buffer.from(await shown.arrayBuffer())).toEqual(PNG);
      // A client that has read it from the server sends it back by that URL.
      const again = await postJson(`${server.origin}/protocols/ai-sdk/chat`, {
        id: 'chat-1',
        messages: [{ id: 'n', role: 'user', parts: [...question!.parts, { type: 'text', text: '!' }] }],
      });
      expect(await again.text()).toContain(`a.png image/png ${PNG.byteLength}`);
    },
  );

  it("of OpenAI's client come with the whole conversation that it sends", async () => {
    const server = await start(seeing());
    const client = new OpenAI({
      baseURL: `${server.origin}/protocols/openai/v1`,
      apiKey: 'none',
      maxRetries: 0,
    });
    const { choices } = await client.chat.completions.create({
      model: 'seeing',
      messages: [
        { role: 'user', content: [{ type: 'image_url', image_url: { url: DATA_URL } }] },
        { role: 'assistant', content: 'A dot.' },
        { role: 'user', content: 'Look' },
      ],
    });
    expect(choices[0]?.message.content).toBe(
      `assistant: A dot.\n\nuser: Look: nameless image/png ${PNG.byteLength}`,
    );
  });

  it('are said on the agent card of A2A, by their types', async () => {
    const server = await start(agent('seeing', ['image/*', 'text/plain']));
    const card = await fetch(`${server.origin}/.well-known/agent-card.json`);
    expect(await card.json()).toMatchObject({
      defaultInputModes: ['text/plain', 'application/json', 'image/*'],
    });
  });

  it('are told to clients of LangGraph, AG-UI and A2A that read the thread', async () => {
    const server = await start(seeing());
    const way = WAYS.find(({ path }) => path.includes('runs/wait'))!;
    await (await post(server, way, 'seeing')).text();
    const { body } = await server.call('GET', '/threads/t-1');
    const [{ files }] = body['messages'] as [{ files: [{ fileId: string }] }];
    const [{ fileId }] = files;
    const state = await fetch(`${server.origin}/protocols/langgraph/threads/t-1/state`);
    const { values } = (await state.json()) as { values: { messages: readonly { content: unknown }[] } };
    expect(values.messages[0]?.content).toEqual([
      { type: 'text', text: 'Look' },
      { type: 'image', mimeType: 'image/png', fileId, metadata: { name: 'a.png', bytes: PNG.byteLength } },
    ]);
    const input = { ...agUi({ type: 'text', text: '' })(''), protocolVersion: '1.0' };
    const joined = await EventStream.open(`${server.origin}/protocols/ag-ui/connect`, {
      method: 'POST',
      body: input,
    });
    await joined.closed();
    expect(JSON.stringify(joined.events)).toContain(
      JSON.stringify({ type: 'file', value: fileId, mimeType: 'image/png' }),
    );
  });
});
