import { describe, expect, it } from '@jest/globals';
import { HumanMessage } from '@langchain/core/messages';
import { createChatAgent } from '../../src/agents/langgraph/index.js';
import { ScriptedModel } from '../../src/agents/langgraph/langgraph.testing.js';
import type { ChatServer } from '../support/chat.server.js';
import { EventStream } from '../support/event-stream.js';
import { postJson } from '../support/post-json.js';
import { protocolServers } from './protocol-servers.js';

const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const DATA_URL = `data:image/png;base64,${PNG}`;
/** The message that each client sends: words and pictures in turn. */
const ORDER = ['Before', 'image', 'Between', 'image', 'After'] as const;

type ToPart = (word: string) => object;
const parts = (toText: ToPart, image: object) =>
  ORDER.map((word) => (word === 'image' ? image : toText(word)));
const text = (word: string) => ({ type: 'text', text: word });

const WAYS: readonly { readonly name: string; readonly path: string; readonly body: object }[] = [
  {
    name: 'our own API',
    path: 'api/chat/runs',
    body: { message: parts(text, { type: 'file', data: PNG }) },
  },
  {
    name: 'the AI SDK',
    path: 'protocols/ai-sdk/chat',
    body: {
      id: 't-1',
      messages: [
        {
          id: 'm',
          role: 'user',
          parts: parts(text, { type: 'file', mediaType: 'image/png', url: DATA_URL }),
        },
      ],
    },
  },
  {
    name: "OpenAI's Chat Completions",
    path: 'protocols/openai/v1/chat/completions',
    body: {
      model: 'chat',
      messages: [{ role: 'user', content: parts(text, { type: 'image_url', image_url: { url: DATA_URL } }) }],
    },
  },
  {
    name: "OpenAI's Responses",
    path: 'protocols/openai/v1/responses',
    body: {
      model: 'chat',
      input: [
        {
          role: 'user',
          content: parts((word) => ({ type: 'input_text', text: word }), {
            type: 'input_image',
            image_url: DATA_URL,
            detail: 'auto',
          }),
        },
      ],
    },
  },
  {
    name: 'AG-UI',
    path: 'protocols/ag-ui',
    body: {
      threadId: 't-1',
      runId: 'r-1',
      messages: [
        {
          id: 'q',
          role: 'user',
          content: parts(text, {
            type: 'image',
            source: { type: 'data', value: PNG, mimeType: 'image/png' },
          }),
        },
      ],
      tools: [],
      context: [],
      state: {},
    },
  },
  {
    name: 'LangGraph',
    path: 'protocols/langgraph/threads/t-1/runs/wait',
    body: {
      assistant_id: 'chat',
      if_not_exists: 'create',
      input: {
        messages: [
          { type: 'human', content: parts(text, { type: 'image', mimeType: 'image/png', data: PNG }) },
        ],
      },
    },
  },
  {
    name: 'A2A',
    path: 'protocols/a2a',
    body: {
      jsonrpc: '2.0',
      id: 1,
      method: 'SendMessage',
      params: {
        message: {
          messageId: 'm-1',
          role: 'ROLE_USER',
          parts: parts((word) => ({ text: word }), { raw: PNG, mediaType: 'image/png' }),
        },
      },
    },
  },
];

/** Reads the kinds of a message's parts, in whatever protocol: the words of a text, and `image` for everything else. */
const toKinds = (content: unknown) =>
  (content as readonly { readonly text?: string }[]).map(({ text }) => text ?? 'image');

async function readAgUi(server: ChatServer, threadId: string): Promise<unknown> {
  const body = {
    threadId,
    runId: 'r-2',
    messages: [],
    tools: [],
    context: [],
    state: {},
    protocolVersion: '1.0',
  };
  const joined = await EventStream.open(`${server.origin}/protocols/ag-ui/connect`, { method: 'POST', body });
  await joined.closed();
  const { messages } = joined.events
    .map(({ data }) => data)
    .find(({ type }) => type === 'MESSAGES_SNAPSHOT')!;
  return (messages as readonly { readonly content: unknown }[])[0]?.content;
}

describe('words and pictures of a message', () => {
  const serve = protocolServers();

  async function start() {
    const model = new ScriptedModel(() => ({ chunks: ['Seen.'] }));
    const server = await serve(() => {}, {
      agents: (kit) => [
        createChatAgent({ ...kit, name: 'chat', description: 'Looks.', model, accepts: ['image/*'] }),
      ],
    });
    const asked = (call: number) =>
      toKinds(model.requests[call]?.findLast((message) => HumanMessage.isInstance(message))?.content);
    return { server, asked };
  }

  it.each(WAYS.map((way) => [way.name, way] as const))(
    'reach the model in the order of %s, and are read back in it by every protocol',
    async (_, { path, body }) => {
      const { server, asked } = await start();
      const sent = await postJson(`${server.origin}/${path}`, body);
      expect([200, 201, 202]).toContain(sent.status);
      await sent.text();
      const { body: listed } = await server.call('GET', '/runs');
      const [run] = listed['items'] as readonly { id: string; threadId: string }[];
      await (await server.watch(run!.id)).closed();
      expect(asked(0)).toEqual(ORDER);

      const { threadId } = run!;
      const thread = await server.call('GET', `/threads/${threadId}`);
      const [question] = thread.body['messages'] as [{ text: string; files: readonly { at: number }[] }];
      const gap = question.text.includes('\n\n') ? 2 : 1;
      expect(question.files.map(({ at }) => at)).toEqual([6 + gap, 13 + 2 * gap]);

      const aiSdk = await fetch(`${server.origin}/protocols/ai-sdk/chat/${threadId}/messages`);
      const [message] = (await aiSdk.json()) as readonly { parts: unknown }[];
      expect(toKinds(message?.parts)).toEqual(ORDER);
      const state = await fetch(`${server.origin}/protocols/langgraph/threads/${threadId}/state`);
      const { values } = (await state.json()) as { values: { messages: readonly { content: unknown }[] } };
      expect(toKinds(values.messages[0]?.content)).toEqual(ORDER);
      expect(toKinds(await readAgUi(server, threadId))).toEqual(ORDER);
      const task = await postJson(`${server.origin}/protocols/a2a`, {
        jsonrpc: '2.0',
        id: 2,
        method: 'GetTask',
        params: { id: run!.id },
      });
      const { result } = (await task.json()) as { result: { history: readonly { parts: unknown }[] } };
      expect(toKinds(result.history[0]?.parts)).toEqual(ORDER);

      // A repetition keeps the places; another text does not have them.
      const again = await server.finishedRun({ threadId, replaces: run!.id });
      expect(asked(1)).toEqual(ORDER);
      await server.finishedRun({ threadId, replaces: again.runId, message: 'Only this' });
      expect(asked(2)).toEqual(['image', 'image', 'Only this']);
    },
  );

  it('stand with their turn when a client of OpenAI sends the whole conversation', async () => {
    const { server, asked } = await start();
    const image = { type: 'image_url', image_url: { url: DATA_URL } };
    await (
      await postJson(`${server.origin}/protocols/openai/v1/chat/completions`, {
        model: 'chat',
        messages: [
          { role: 'user', content: [text('What is this?'), image] },
          { role: 'assistant', content: 'A dot.' },
          { role: 'user', content: [text('And this'), image, text('here?')] },
        ],
      })
    ).text();
    expect(asked(0)).toEqual([
      'user: What is this?',
      'image',
      'assistant: A dot.\n\nuser: And this',
      'image',
      'here?',
    ]);
  });
});
