import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createEmbedding } from './embedding.factory.js';
import { makeGraphProject } from './graph-project.testing.js';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** A server that embeds as OpenAI's does, and says what it was asked. */
async function provider(): Promise<{ readonly baseUrl: string; readonly asked: Record<string, unknown>[] }> {
  const asked: Record<string, unknown>[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as { input: string | string[] };
      asked.push({ key: request.headers.authorization, ...body });
      const data = [body.input].flat().map((text, index) => ({ index, embedding: [text.length, 1] }));
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ data, usage: {} }));
    });
  }).listen(0, '127.0.0.1');
  cleanups.push(() => server.close());
  await once(server, 'listening');
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describe('createEmbedding', () => {
  it('embeds with a model of OpenAI, of the length that is wanted', async () => {
    const { baseUrl, asked } = await provider();
    const embed = await createEmbedding('openai:text-embedding-3-small', { dims: 2, apiKey: 'key', baseUrl });
    if (typeof embed === 'function') throw new Error('It must be an Embeddings.');
    expect(await embed.embedDocuments(['a', 'bb'])).toEqual([
      [1, 1],
      [2, 1],
    ]);
    expect(asked).toMatchObject([{ key: 'Bearer key', model: 'text-embedding-3-small', dimensions: 2 }]);
  });

  it('refuses a model without a key, and modules that embed nothing', async () => {
    await expect(createEmbedding('openai:some', { dims: 2 })).rejects.toThrow(
      'needs a key. Set apiKey of createEmbedding',
    );
    const project = await makeGraphProject({
      'embed.mjs': `
export const embed = async (texts) => texts.map(({ length }) => [length, 1]);
export const nothing = {};
`,
    });
    cleanups.push(() => project.remove());
    const file = join(project.directory, 'embed.mjs');
    await expect(createEmbedding(`${file}:nothing`, { dims: 2 })).rejects.toThrow('embeds nothing');
    const embed = await createEmbedding(`${file}#embed`, { dims: 2 });
    if (typeof embed !== 'function') throw new Error('It must be a function.');
    expect(await embed(['abc'])).toEqual([[3, 1]]);
  });
});
