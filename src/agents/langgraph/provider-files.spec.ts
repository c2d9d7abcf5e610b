import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { HumanMessage } from '@langchain/core/messages';
import { withFiles } from './file-blocks.js';
import { createModel } from './model.factory.js';
import { resolveFiles } from './resolve-files.js';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const PDF = Buffer.from('%PDF-1.7 a plan');
const TEXT = Buffer.from('Milk, eggs');
const FILES = { png: PNG, pdf: PDF, txt: TEXT };

const MESSAGE = new HumanMessage({
  content: withFiles('What is this?', [
    { fileId: 'png', mediaType: 'image/png', name: 'dot.png', bytes: PNG.byteLength },
    { fileId: 'pdf', mediaType: 'application/pdf', name: 'plan.pdf', bytes: PDF.byteLength },
    { fileId: 'txt', mediaType: 'text/plain', name: 'list.txt', bytes: TEXT.byteLength },
  ]),
});
const TEXT_OF_FILE = '<file name="list.txt">\nMilk, eggs\n</file>';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A provider that refuses everything, and remembers what it was sent. */
async function listen() {
  const requests: { readonly path: string; readonly body: Record<string, unknown> }[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(pieces).toString()) as Record<string, unknown>;
      requests.push({ path: request.url ?? '', body });
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"No."}}');
    });
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** Sends the message to the provider as the middleware does, and returns the content of the message as it arrived. */
async function send(model: BaseChatModel, requests: readonly { readonly body: Record<string, unknown> }[]) {
  const resolved = await resolveFiles([MESSAGE], {
    readFile: async (id) => ({ mediaType: 'any', data: FILES[id as keyof typeof FILES] }),
    takes: () => true,
  });
  await model.invoke([...resolved]).catch(() => undefined);
  const { body } = requests[0]!;
  const messages = (body['messages'] ?? body['input']) as readonly { readonly content: unknown }[];
  return messages.at(-1)?.content;
}

describe('the files of a message, as they arrive at a provider', () => {
  it('are the parts that OpenAI documents for Chat Completions', async () => {
    const { url, requests } = await listen();
    const model = await createModel('openai:gpt-4o', {
      baseUrl: `${url}/v1`,
      apiKey: 'none',
      timeoutMs: 5_000,
    });
    expect(await send(model, requests)).toEqual([
      { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG.toString('base64')}` } },
      {
        type: 'file',
        file: { filename: 'plan.pdf', file_data: `data:application/pdf;base64,${PDF.toString('base64')}` },
      },
      { type: 'text', text: TEXT_OF_FILE },
      { type: 'text', text: 'What is this?' },
    ]);
    expect(requests[0]?.path).toBe('/v1/chat/completions');
  });

  it('are the parts that OpenAI documents for Responses', async () => {
    const { url, requests } = await listen();
    // One of those that LangChain asks by Responses alone.
    const model = await createModel('openai:gpt-5.2-pro', {
      baseUrl: `${url}/v1`,
      apiKey: 'none',
      timeoutMs: 5_000,
    });
    expect(await send(model, requests)).toEqual([
      {
        type: 'input_image',
        image_url: `data:image/png;base64,${PNG.toString('base64')}`,
        detail: 'auto',
      },
      {
        type: 'input_file',
        filename: 'plan.pdf',
        file_data: `data:application/pdf;base64,${PDF.toString('base64')}`,
      },
      { type: 'input_text', text: TEXT_OF_FILE },
      { type: 'input_text', text: 'What is this?' },
    ]);
    expect(requests[0]?.path).toBe('/v1/responses');
  });

  it('are the blocks that Anthropic documents for Messages', async () => {
    const { url, requests } = await listen();
    const model = await createModel('anthropic:claude-sonnet-4-5', {
      baseUrl: url,
      apiKey: 'none',
      timeoutMs: 5_000,
    });
    expect(await send(model, requests)).toMatchObject([
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG.toString('base64') } },
      {
        type: 'document',
        source: { type: 'base64', media_type: 'application/pdf', data: PDF.toString('base64') },
      },
      { type: 'text', text: TEXT_OF_FILE },
      { type: 'text', text: 'What is this?' },
    ]);
    expect(requests[0]?.path).toBe('/v1/messages');
  });
});
