import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { schemaName } from '../../src/storage/postgres/postgres.testing.js';
import { PostgresServer } from '../harness/cluster/postgres.server.js';
import { startProgram } from '../harness/program.js';
import { S3Server } from '../harness/s3.server.js';
import type { SeeingOptions } from '../harness/seeing.process.js';
import { EventStream } from '../support/event-stream.js';
import { postJson } from '../support/post-json.js';
import { until } from '../support/until.js';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A model that does not answer its first call, and says what it saw in the next. */
async function startProvider() {
  const asked: unknown[] = [];
  const answer = (response: ServerResponse) => {
    const send = (delta: object, finish_reason: string | null = null) =>
      response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    send({ role: 'assistant', content: 'A dot.' });
    send({}, 'stop');
    response.end('data: [DONE]\n\n');
  };
  const server: Server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const { messages } = JSON.parse(Buffer.concat(pieces).toString()) as { messages: unknown };
      asked.push(messages);
      if (asked.length > 1) answer(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}

async function startSeeing(
  options: SeeingOptions,
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = startProgram(
    new URL('../harness/seeing.process.ts', import.meta.url),
    JSON.stringify(options),
  );
  cleanups.push(() => child.kill('SIGKILL'));
  const [url] = (await once(child, 'message')) as [string];
  return { child, url };
}

const PLACES: readonly [string, () => Promise<SeeingOptions['storage']>][] = [
  [
    'SQLite',
    async () => {
      const directory = await mkdtemp(join(tmpdir(), 'files-takeover-'));
      cleanups.push(() => rm(directory, { recursive: true, force: true }));
      return { directory };
    },
  ],
  [
    'PostgreSQL',
    async () => {
      const server = await PostgresServer.shared();
      cleanups.push(() => server.stop());
      return { url: server.url, schema: schemaName() };
    },
  ],
];

describe.each(PLACES)('a run with files whose process is killed, on %s', (_, makePlace) => {
  it('goes on under the next process with the same files', async () => {
    const s3 = await S3Server.start();
    cleanups.push(() => s3.stop());
    const provider = await startProvider();
    const options = { storage: await makePlace(), s3: s3.options, provider: provider.url };
    const first = await startSeeing(options);
    const uploaded = await fetch(`${first.url}/files?name=dot.png`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: PNG,
    });
    const { fileId } = (await uploaded.json()) as { fileId: string };
    const started = await postJson(`${first.url}/runs`, {
      message: [
        { type: 'file', fileId },
        {
          type: 'file',
          data: Buffer.from('Milk').toString('base64'),
          name: 'list.txt',
          mediaType: 'text/plain',
        },
        { type: 'text', text: 'What is this?' },
      ],
    });
    const { runId } = (await started.json()) as { runId: string };
    await until(() => provider.asked.length === 1);
    const gone = once(first.child, 'exit');
    first.child.kill('SIGKILL');
    await gone;

    const second = await startSeeing(options);
    const stream = await EventStream.open(`${second.url}/runs/${runId}/events`);
    expect(await stream.closed()).toBe('end');
    expect(stream.text).toBe('A dot.');
    expect(provider.asked).toHaveLength(2);
    expect(JSON.stringify(provider.asked[0])).toContain(PNG.toString('base64'));
    expect(JSON.stringify(provider.asked[0])).toContain('Milk');
    expect(provider.asked[1]).toEqual(provider.asked[0]);
    expect(stream.frames.find(({ event }) => event === 'run-start')?.data).toMatchObject({
      files: [{ fileId, name: 'dot.png' }, { name: 'list.txt' }],
    });
  });
});
