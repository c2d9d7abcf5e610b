import { describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ChatModule } from '../src/chat/chat.module.js';
import { ChatService } from '../src/client/index.js';
import type { Storage } from '../src/storage/storage.js';
import { createAnswer, ScriptedAgent } from '../src/testing/scripted.agent.js';
import { FRAMEWORKS, hostServers, type Framework } from './embedding/host.server.js';
import { chatServers, type ChatServer, type ChatServerOptions } from './support/chat.server.js';
import { defaultStorage } from './support/storages.js';
import { until } from './support/until.js';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const BYTES = { 'content-type': 'application/octet-stream' };

const takeBytes = (framework: Framework) => (app: INestApplication) => {
  if (framework === 'fastify')
    (app as NestFastifyApplication)
      .getHttpAdapter()
      .getInstance()
      .addContentTypeParser('application/octet-stream', (_request, body, done) => done(null, body));
};

/** Holds up what stores an upload, until it is let go. */
function holdUploads(storage: Storage) {
  const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { blobs } = storage;
  const store = blobs.upload.bind(blobs);
  blobs.upload = async (...given) => {
    enter();
    await released;
    return store(...given);
  };
  return { entered, release };
}

/** Says which files its message has, and what is in them. */
const reader = (name = 'reader', accepts: readonly string[] = ['image/*', 'text/*']) =>
  new ScriptedAgent(
    async ({ message, given }, context) => {
      const words = [`${message}:`];
      for (const { fileId, name: file, mediaType } of given?.files ?? []) {
        const found = fileId === undefined ? undefined : await context.readFile?.(fileId);
        words.push(` ${file ?? mediaType}=${found?.data.byteLength ?? 'gone'}`);
      }
      for (const event of createAnswer(context, words)) void context.emit(event);
    },
    { name, accepts },
  );

/** Returns the number of connections that the server has. */
async function connections({ http }: ChatServer): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  http.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  return promise;
}

const agents = () => [reader(), reader('blind', ['text/*'])];

async function upload(
  server: Pick<ChatServer, 'url'>,
  data: Uint8Array = PNG,
  { query = '?name=dot.png', headers = {} }: { query?: string; headers?: Record<string, string> } = {},
) {
  const response = await fetch(`${server.url}/files${query}`, {
    method: 'POST',
    headers: { ...BYTES, ...headers },
    body: Buffer.from(data),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const part = ({ body }: { readonly body: Record<string, unknown> }) => ({
  type: 'file',
  fileId: String(body['fileId']),
});

describe('files of a message', () => {
  const start = chatServers();
  const serve = (options: ChatServerOptions = {}) => start({ agents, ...options });

  it('are uploaded before it, named in the log and in the thread, and gone with it', async () => {
    const server = await serve();
    const uploaded = await upload(server);
    expect(uploaded).toEqual({
      status: 201,
      body: { fileId: expect.any(String), mediaType: 'image/png', name: 'dot.png', bytes: PNG.byteLength },
    });
    const message = [part(uploaded), { type: 'text', text: 'Look' }, { type: 'text', text: 'here' }];
    const run = await server.finishedRun({ message });
    expect(run.text).toBe(`Look\n\nhere: dot.png=${PNG.byteLength}`);
    const files = [uploaded.body];
    expect(run.events.find(({ event }) => event === 'run-start')?.data).toMatchObject({ files });
    const { body } = await server.call('GET', `/runs/${run.runId}`);
    expect(body).toMatchObject({ message: 'Look\n\nhere', files });
    const threadId = String(body['threadId']);
    const thread = await server.call('GET', `/threads/${threadId}`);
    expect(thread.body['messages']).toMatchObject([
      { role: 'user', text: 'Look\n\nhere', files },
      { role: 'assistant', text: `Look\n\nhere: dot.png=${PNG.byteLength}` },
    ]);
    // It belongs to the conversation now.
    const path = `/files/${String(uploaded.body['fileId'])}`;
    expect((await server.call('DELETE', path)).status).toBe(204);
    const shown = await fetch(`${server.url}${path}`);
    expect(Buffer.from(await shown.arrayBuffer())).toEqual(PNG);
    expect((await server.call('DELETE', `/threads/${threadId}`)).status).toBe(204);
    expect((await server.call('GET', path)).body).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('may come in it, without words, and once however often it is sent', async () => {
    const server = await serve();
    const message = [{ type: 'file', data: PNG.toString('base64'), name: 'dot.png' }];
    const headers = { 'idempotency-key': 'once' };
    const [one, two] = [
      await server.startRun({ message }, headers),
      await server.startRun({ message }, headers),
    ];
    expect(two.runId).toBe(one.runId);
    const stream = await server.watch(one.runId);
    await stream.closed();
    expect(stream.text).not.toContain(PNG.toString('base64').slice(0, 30));
    const { body } = await server.call('GET', `/threads/${one.threadId}`);
    expect(body['thread']).toMatchObject({ title: 'dot.png' });
    expect(body['messages']).toMatchObject([
      { text: '', files: [{ name: 'dot.png', bytes: PNG.byteLength }] },
      { text: `: dot.png=${PNG.byteLength}` },
    ]);
    const other = {
      message: [{ type: 'file', data: Buffer.from('other').toString('base64'), name: 'dot.png' }],
    };
    expect((await server.call('POST', '/runs', other, headers)).body).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
    const owner = { tenant: 'local', userId: 'local' };
    const usage = await server.storage.retention.listUsage(10);
    expect(usage).toHaveLength(1);
    await server.storage.blobs.deleteUploads(usage[0]?.owner ?? owner);
    expect((await server.storage.retention.listUsage(10))[0]?.bytes).toBe(usage[0]?.bytes);
  });

  it('find their run when they are sent again, although there is no room for them any more', async () => {
    const server = await serve({ files: { maxOwnerBytes: 1.5 * PNG.byteLength } });
    const message = [{ type: 'file', data: PNG.toString('base64'), name: 'dot.png' }];
    const headers = { 'idempotency-key': 'once' };
    const { runId } = await server.startRun({ message }, headers);
    expect((await server.startRun({ message }, headers)).runId).toBe(runId);
    expect((await server.call('POST', '/runs', { message })).body).toMatchObject({ code: 'FILES_FULL' });
  });

  it('are refused with a problem of their own, and nothing is stored', async () => {
    const server = await serve({
      files: { maxFileBytes: 1_000, types: ['image/*', 'text/*', 'application/pdf'] },
    });
    const uploaded = await upload(server);
    const pdf = await upload(server, Buffer.from('%PDF-1.7'), { query: '' });
    const ask = async (message: unknown, fields: object = {}) => {
      const { status, body } = await server.call('POST', '/runs', { message, ...fields });
      return [status, body['code']];
    };
    expect(await ask([part(uploaded)], { agent: 'blind' })).toEqual([422, 'FILE_NOT_ACCEPTED']);
    expect(await ask([part(pdf)])).toEqual([422, 'FILE_NOT_ACCEPTED']);
    expect(await ask([{ type: 'file', fileId: 'none' }])).toEqual([404, 'NOT_FOUND']);
    expect(await ask([{ type: 'file', url: 'https://example.com/a.png' }])).toEqual([415, 'FILE_REFUSED']);
    expect(await ask([{ type: 'file', data: 'AAAA' }])).toEqual([415, 'FILE_REFUSED']);
    expect(await ask([{ type: 'file', data: 'no base64!' }])).toEqual([400, 'REQUEST_INVALID']);
    expect(await ask([{ type: 'text', text: ' ' }])).toEqual([400, 'REQUEST_INVALID']);
    expect(await ask([])).toEqual([400, 'REQUEST_INVALID']);
    expect(await upload(server, Buffer.alloc(1_001))).toMatchObject({
      status: 413,
      body: { code: 'REQUEST_TOO_LARGE' },
    });
    expect(await upload(server, Buffer.from([0, 1]))).toMatchObject({
      status: 415,
      body: { code: 'FILE_REFUSED' },
    });
    expect(await upload(server, Buffer.alloc(0))).toMatchObject({
      status: 400,
      body: { code: 'REQUEST_INVALID' },
    });
    expect(await upload(server, PNG, { query: '', headers: { 'content-encoding': 'gzip' } })).toMatchObject({
      status: 415,
      body: { code: 'ENCODING_UNSUPPORTED' },
    });
    expect((await server.call('GET', '/threads')).body['items']).toEqual([]);
  });

  it('belong to who has sent them, and to one conversation', async () => {
    const keys = ['ann', 'ben'].map((userId) => ({
      key: `${userId}-with-enough-characters`,
      userId,
      tenant: 'acme',
    }));
    const server = await serve({ auth: { kind: 'credentials', apiKeys: keys } });
    const [ann, ben] = keys.map(({ key }): Record<string, string> => ({ 'x-api-key': key }));
    const uploaded = await upload(server, PNG, { headers: ann! });
    const message = [part(uploaded)];
    const path = `/files/${String(uploaded.body['fileId'])}`;
    const none = await server.call('POST', '/runs', { message: [{ type: 'file', fileId: 'none' }] }, ben);
    const his = await server.call('POST', '/runs', { message }, ben);
    expect(his.status).toBe(404);
    expect(Object.keys(his.body)).toEqual(Object.keys(none.body));
    expect((await server.call('GET', path, undefined, ben)).status).toBe(404);
    expect((await server.call('DELETE', path, undefined, ben)).status).toBe(404);
    const { threadId, runId } = await server.startRun({ message }, ann);
    await (await server.watch(runId, undefined, { headers: ann! })).closed();
    expect((await server.call('POST', '/runs', { message }, ann)).body).toMatchObject({
      code: 'NOT_FOUND',
      detail: expect.stringContaining('Upload it again'),
    });
    const again = await server.startRun({ message, threadId }, ann);
    expect(again.threadId).toBe(threadId);
  });

  it('that are JSON are taken as they are sent', async () => {
    const server = await serve({ files: { types: ['application/json'] } });
    const data = Buffer.from('{ "a":  1 }');
    const uploaded = await upload(server, data, {
      query: '?type=application/json',
      headers: { 'content-type': 'application/json' },
    });
    expect(uploaded).toMatchObject({
      status: 201,
      body: { mediaType: 'application/json', bytes: data.byteLength },
    });
    const shown = await fetch(`${server.url}/files/${String(uploaded.body['fileId'])}`);
    expect(Buffer.from(await shown.arrayBuffer())).toEqual(data);
  });
});

describe('an upload that is being stored', () => {
  const start = chatServers();

  it('counts as held by its caller until it is stored', async () => {
    const storage = defaultStorage();
    const server = await start({ agents, storage, settings: { MAX_BODY_BYTES_IN_FLIGHT: '16MiB' } });
    const { entered, release } = holdUploads(storage);
    const large = Buffer.concat([PNG, Buffer.alloc(2_500_000)]);
    const first = upload(server, large);
    await entered;
    expect(await upload(server, large)).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
    release();
    expect((await first).status).toBe(201);
    expect((await upload(server, large)).status).toBe(201);
  });
});

describe('uploads that are sent all at once', () => {
  const start = chatServers();

  it('wait for their caller’s turn to be stored, and too many are told to come back', async () => {
    const storage = defaultStorage();
    const reads = { perPrincipal: 1, waiting: 3 };
    const server = await start({
      agents,
      storage,
      throttling: { startsPerMinute: 1_000, maxOpenStreams: 10, reads },
    });
    const { entered, release } = holdUploads(storage);
    const sent = [upload(server)];
    await entered;
    const refused: unknown[] = [];
    const rest = Array.from({ length: 8 }, async () => {
      const reply = await upload(server);
      if (reply.status === 429) refused.push(reply.body);
      return reply;
    });
    await until(() => refused.length === 5);
    for (const body of refused) expect(body).toMatchObject({ code: 'RATE_LIMITED' });
    release();
    const statuses = (await Promise.all([...sent, ...rest]))
      .map(({ status }) => status)
      .toSorted((one, other) => one - other);
    expect(statuses).toEqual([...Array<number>(4).fill(201), ...Array<number>(5).fill(429)]);
  });
});

describe('an upload whose client leaves', () => {
  const start = chatServers();

  it('has its turn until it is stored', async () => {
    const storage = defaultStorage();
    const server = await start({
      agents,
      storage,
      throttling: { startsPerMinute: 1_000, maxOpenStreams: 10, reads: { perPrincipal: 1, waiting: 1 } },
    });
    const { entered, release } = holdUploads(storage);
    const leaving = new AbortController();
    const left = fetch(`${server.url}/files`, {
      method: 'POST',
      headers: BYTES,
      body: PNG,
      signal: leaving.signal,
    }).catch(() => undefined);
    await entered;
    leaving.abort();
    await left;
    await until(() => connections(server).then((count) => count === 0));
    const next = [upload(server), upload(server)];
    // One waits, and the other is one too many.
    expect(await Promise.race(next)).toMatchObject({ status: 429 });
    release();
    const statuses = (await Promise.all(next)).map(({ status }) => status);
    expect(statuses.toSorted((one, other) => one - other)).toEqual([201, 429]);
  });
});

describe.each(FRAMEWORKS)('an upload on %s', (framework) => {
  const start = hostServers();

  it('is taken within the limit of a file, whatever the host allows for JSON', async () => {
    const module = ChatModule.forRoot({
      storage: defaultStorage(),
      agents,
      auth: { kind: 'local' },
      files: { maxFileBytes: 3_000_000 },
      drainMs: 0,
    });
    const server = await start(module, {
      framework,
      prepare: takeBytes(framework),
    });
    const large = Buffer.concat([PNG, Buffer.alloc(2_900_000)]);
    const host = { url: server.url('/api/chat') };
    const uploaded = await upload(host, large);
    expect(uploaded).toMatchObject({
      status: 201,
      body: { mediaType: 'image/png', bytes: large.byteLength },
    });
    const { body } = await server.call('POST', '/api/chat/runs', { body: { message: [part(uploaded)] } });
    expect(body).toMatchObject({ runId: expect.any(String) });

    const client = new ChatService({ baseUrl: host.url });
    const told: number[] = [];
    const sent = await client.upload(new File([large], 'large.png'), {
      onProgress: (part) => told.push(part),
    });
    expect(sent).toMatchObject({ mediaType: 'image/png', name: 'large.png', bytes: large.byteLength });
    expect(told).toEqual([1]);
    const run = await client.start([{ type: 'file', fileId: sent.fileId }], { agent: 'reader' });
    expect((await client.run(run.runId)).files).toEqual([sent]);
    const unused = await client.upload(new Blob(['text']), { name: 'a.txt', type: 'text/plain' });
    await client.removeUpload(unused.fileId);
    await expect(client.file(unused.fileId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(client.upload(new Blob([]))).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    expect((await client.agents()).items[0]?.accepts).toEqual(['image/*', 'text/*']);

    const refused = await upload(host, Buffer.alloc(3_100_000));
    expect(refused).toMatchObject({ status: 413, body: { code: 'REQUEST_TOO_LARGE' } });
  });

  it('counts as held by its caller until it is stored', async () => {
    const storage = defaultStorage();
    const module = ChatModule.forRoot({ storage, agents, auth: { kind: 'local' }, drainMs: 0 });
    const server = await start(module, { framework, prepare: takeBytes(framework) });
    const { entered, release } = holdUploads(storage);
    const host = { url: server.url('/api/chat') };
    const large = Buffer.concat([PNG, Buffer.alloc(9_000_000)]);
    const first = upload(host, large);
    await entered;
    expect(await upload(host, large)).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
    release();
    expect((await first).status).toBe(201);
    expect((await upload(host, large)).status).toBe(201);
  });
});
