import { describe, expect, it, jest } from '@jest/globals';
import { HttpAgent } from '@ag-ui/client';
import { DefaultChatTransport, type UIMessage } from 'ai';
import OpenAI, { APIError } from 'openai';
import { chatServers } from '../support/chat.server.js';
import { collected } from '../support/collected.js';
import { nineWords } from '../support/plays.js';
import { demoServers } from './demo.server.js';
import { postJson } from '../support/post-json.js';

const start = chatServers();
const startDemo = demoServers();
const LONG = 'x'.repeat(256 * 1024 + 1);

/** A history that is longer than the native API takes in one request. */
const MEGABYTE = Array.from({ length: 16 }, () => 'x'.repeat(64 * 1024));

interface Asked {
  /** The history that the clients keep. */
  readonly history: readonly string[];
  readonly message: string;
}

/** Each library that sends its history, with the result: its answer's text, or the status of the refusal. */
const LIBRARIES: [string, (origin: string, asked: Asked) => Promise<string | number>][] = [
  [
    'the AI SDK',
    async (origin, { history, message }) => {
      const said = (text: string, index: number): UIMessage => ({
        id: `m${index}`,
        role: index < history.length && index % 2 === 1 ? 'assistant' : 'user',
        parts: [{ type: 'text', text }],
      });
      const transport = new DefaultChatTransport({ api: `${origin}/protocols/ai-sdk/chat` });
      try {
        const stream = await transport.sendMessages({
          chatId: 'chat',
          messages: [...history, message].map(said),
          trigger: 'submit-message',
          messageId: undefined,
          abortSignal: undefined,
        });
        const chunks = await collected(stream);
        return chunks.map((chunk) => (chunk.type === 'text-delta' ? chunk.delta : '')).join('');
      } catch (error) {
        return (error as { statusCode: number }).statusCode;
      }
    },
  ],
  [
    'AG-UI',
    async (origin, { history, message }) => {
      const agent = new HttpAgent({ url: `${origin}/protocols/ag-ui`, threadId: 'thread' });
      const said = [...history, message].map((content, index) => ({
        id: `m${index}`,
        role: 'user',
        content,
      }));
      agent.setMessages(said as never);
      // It writes what it was refused with there, and throws it as well.
      const log = jest.spyOn(console, 'error').mockImplementation(() => undefined);
      try {
        await agent.runAgent();
        const { content } = agent.messages.at(-1) as { content: string };
        return content;
      } catch (error) {
        return (error as { status: number }).status;
      } finally {
        log.mockRestore();
      }
    },
  ],
  [
    'OpenAI',
    async (origin, { history, message }) => {
      const client = new OpenAI({ baseURL: `${origin}/protocols/openai/v1`, apiKey: 'none', maxRetries: 0 });
      const messages = [...history, message].map((content) => ({ role: 'user', content }) as const);
      try {
        const { choices } = await client.chat.completions.create({ model: 'scripted', messages });
        return choices[0]?.message.content ?? '';
      } catch (error) {
        return (error as APIError).status as number;
      }
    },
  ],
];

describe.each(LIBRARIES)('size limits of %s', (_name, ask) => {
  it('accepts a megabyte of history, and refuses a long message with 413', async () => {
    const origin = `http://127.0.0.1:${(await start({ play: nineWords, protocols: {} })).port}`;
    expect(await ask(origin, { history: MEGABYTE, message: 'Go on.' })).toBe(
      'thequickbrownfoxjumpsoverthelazydog',
    );
    expect(await ask(origin, { history: [], message: LONG })).toBe(413);
  });
});

describe('size limits of requests', () => {
  const post = async (url: string, body: unknown) => {
    const response = await postJson(url, body);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('limits protocol requests by MAX_HISTORY_BYTES, and native requests by the size of a message', async () => {
    const origin = await startDemo({ MAX_HISTORY_BYTES: '1MiB' });
    const body = { messages: MEGABYTE };
    expect(await post(`${origin}/protocols/ag-ui`, body)).toMatchObject({
      status: 413,
      body: {
        code: 'REQUEST_TOO_LARGE',
        detail: 'The request body is larger than 1,048,576 bytes. Send less.',
      },
    });
    expect(await post(`${origin}/api/chat`, body)).toMatchObject({
      status: 413,
      body: { detail: 'The request body is larger than 851,968 bytes. Send less.' },
    });
  });

  it('accepts any message on a protocol that the native API accepts', async () => {
    const origin = await startDemo({ MAX_HISTORY_BYTES: '1KiB', MAX_MESSAGE_BYTES: '2KiB' });
    const body = { model: 'assistant', input: 'x'.repeat(2_000) };
    expect((await post(`${origin}/protocols/openai/v1/responses`, body)).status).toBe(200);
    const longer = { ...body, input: 'x'.repeat(2_049) };
    expect(await post(`${origin}/protocols/openai/v1/responses`, longer)).toMatchObject({
      status: 413,
      body: {
        error: { code: 'REQUEST_TOO_LARGE', message: 'The message is longer than 2,048 bytes. Shorten it.' },
      },
    });
  });

  it('reports a message that is too long in the error formats of A2A and LangGraph', async () => {
    const { port } = await start({ play: nineWords, protocols: {} });
    const origin = `http://127.0.0.1:${port}/protocols`;
    const message = { messageId: 'm', role: 'ROLE_USER', parts: [{ text: LONG }] };
    const call = { jsonrpc: '2.0', id: 1, method: 'SendMessage', params: { message } };
    expect(await post(`${origin}/a2a`, call)).toMatchObject({
      status: 200,
      body: { error: { code: -32602 } },
    });
    const input = { messages: [{ type: 'human', content: LONG }] };
    const params = { assistant_id: 'scripted', input };
    const command = { id: 1, method: 'run.start', params };
    expect(await post(`${origin}/langgraph/threads/t/commands`, command)).toMatchObject({
      status: 200,
      body: { type: 'error', error: 'invalid_argument' },
    });
    expect((await post(`${origin}/langgraph/runs/stream`, params)).status).toBe(413);
  });
});
