import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../src/runs/run-ids.js';
import { RetentionService } from '../src/runs/retention.service.js';
import { MemoryStorage } from '../src/storage/memory/memory.storage.js';
import { SqliteStorage } from '../src/storage/sqlite/sqlite.storage.js';
import { S3ObjectStore } from '../src/storage/s3/s3-object.store.js';
import { FaultProxy } from '../src/testing/fault.proxy.js';
import { createAnswer, ScriptedAgent } from '../src/testing/scripted.agent.js';
import { S3Server } from './harness/s3.server.js';
import { chatServers, type ChatServer } from './support/chat.server.js';
import { sharedData } from './support/storages.js';
import { until } from './support/until.js';

const TEXT = 'The bytes of a file. '.repeat(5_000);

let s3: S3Server;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  s3 = await S3Server.start();
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(() => s3?.stop());

/** Reads the files of its message, and gives one of its own. */
const scribe = () =>
  new ScriptedAgent(
    async ({ given }, context) => {
      const [file] = given?.files ?? [];
      const read = file?.fileId === undefined ? undefined : await context.readFile?.(file.fileId);
      const kept = await context.keepFile!({ data: Buffer.from('made'), mediaType: 'text/plain' });
      const [start, ...rest] = createAnswer(context, [`read ${read?.data.byteLength ?? 0}`]);
      const { messageId } = context;
      void context.emit(start!);
      void context.emit({ type: 'file', partId: 'made', messageId, stepId: 'step-1', ...kept });
      for (const event of rest) void context.emit(event);
    },
    { name: 'scribe', accepts: ['text/*'] },
  );

const upload = async (server: ChatServer, headers: Record<string, string> = {}) => {
  const response = await fetch(`${server.url}/files?type=text/plain`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', ...headers },
    body: TEXT,
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

describe('files in a bucket', () => {
  const start = chatServers();
  const data = sharedData();
  const serve = (objects: S3ObjectStore) =>
    start({ agents: () => [scribe()], storage: new MemoryStorage({ objects }) });

  it('come and go with their conversation, and none of their bytes is in the database', async () => {
    const prefix = `${newId()}/`;
    const server = await serve(new S3ObjectStore({ ...s3.options, prefix }));
    const { body } = await upload(server);
    const fileId = String(body['fileId']);
    const run = await server.finishedRun({ message: [{ type: 'file', fileId }] });
    expect(run.text).toBe(`read ${TEXT.length}`);
    expect(await s3.names(prefix)).toHaveLength(2);
    expect(await (await fetch(`${server.url}/files/${fileId}`)).text()).toBe(TEXT);
    const { threadId } = (await server.call('GET', `/runs/${run.runId}`)).body as { threadId: string };
    await server.call('DELETE', `/threads/${threadId}`);
    expect((await server.call('GET', `/files/${fileId}`)).status).toBe(404);
    await server.app.get(RetentionService, { strict: false }).removeLeftovers();
    expect(await s3.names(prefix)).toEqual([]);
  });

  it('are refused with 503 while it is away; runs go on without theirs, and what was deleted is removed later', async () => {
    const prefix = `${newId()}/`;
    let isAway = false;
    const proxy = await FaultProxy.listen({ target: () => (isAway ? undefined : s3.port) });
    closing.push(() => proxy.close());
    let now = Date.now();
    const objects = new S3ObjectStore({ ...s3.options, prefix, endpoint: proxy.origin });
    const storage = new MemoryStorage({ objects, clock: () => now });
    const server = await start({ agents: () => [scribe()], storage });
    const { body } = await upload(server);
    const path = `/files/${String(body['fileId'])}`;
    isAway = true;
    proxy.drop('reset');
    const refused = await upload(server);
    expect(refused).toMatchObject({
      status: 503,
      body: { code: 'STORAGE_FAILED', detail: expect.stringContaining('cannot be reached') },
    });
    expect(JSON.stringify(refused.body)).not.toContain('127.0.0.1');
    expect((await server.call('GET', path)).body).toMatchObject({ status: 503, code: 'STORAGE_FAILED' });
    const run = await server.finishedRun();
    expect(run.text).toBe('read 0');
    expect(run.events.find(({ event }) => event === 'file')?.data).toMatchObject({ omitted: 'unreadable' });
    expect(run.events.at(-1)).toMatchObject({ event: 'end', data: { outcome: 'completed' } });

    expect((await server.call('DELETE', path)).status).toBe(204);
    const retention = server.app.get(RetentionService, { strict: false });
    await retention.removeLeftovers();
    expect(await s3.names(prefix)).toHaveLength(1);
    isAway = false;
    now += 10 * 60_000;
    await retention.removeLeftovers();
    expect(await s3.names(prefix)).toEqual([]);
    expect((await upload(server)).status).toBe(201);
  });

  it('keep nobody else waiting while it takes connections and does not answer', async () => {
    let isSilent = false;
    const proxy = await FaultProxy.listen({
      target: () => s3.port,
      faults: () => (isSilent ? { silentAfterMs: 0 } : {}),
    });
    closing.push(() => proxy.close());
    const objects = new S3ObjectStore({ ...s3.options, prefix: `${newId()}/`, endpoint: proxy.origin });
    const readers = Array.from({ length: 8 }, (_, n) => `reader-${n}`);
    const server = await start({
      play: async (_input, context) => {
        for (const event of createAnswer(context, ['Hello.'])) await context.emit(event);
      },
      storage: new MemoryStorage({ objects }),
      auth: {
        kind: 'credentials',
        apiKeys: [...readers, 'other'].map((userId) => ({
          key: `${userId}-0123456789`,
          userId,
          tenant: 'acme',
          roles: [],
        })),
      },
    });
    const known = (userId: string) => ({ 'x-api-key': `${userId}-0123456789` });
    const paths: [string, string][] = [];
    for (const userId of readers) {
      const { body } = await upload(server, known(userId));
      paths.push([userId, `${server.url}/files/${String(body['fileId'])}`]);
    }
    isSilent = true;
    proxy.drop('reset');
    const before = proxy.connections;
    const leaving = new AbortController();
    const waiting = paths
      .flatMap((path) => [path, path])
      .map(([userId, path]) => fetch(path, { headers: known(userId), signal: leaving.signal }));
    const left = Promise.allSettled(waiting);
    // Far more of them than reads that a process has at work.
    await until(() => proxy.connections - before >= waiting.length);
    const stream = await server.ask({ message: 'hello' }, known('other'));
    expect((await stream.frame('ready')).data).toMatchObject({ runId: expect.any(String) });
    expect((await server.call('GET', '/threads', undefined, known('other'))).status).toBe(200);
    leaving.abort();
    expect((await left).map(({ status }) => status)).toEqual(waiting.map(() => 'rejected'));
  });

  it('that are in the database stay readable there; those in the bucket need it', async () => {
    const { directory } = data;
    const owner = { tenant: 'acme', userId: 'ada' };
    const objects = () => new S3ObjectStore({ ...s3.options, prefix: `${newId()}/` });
    const limits = { maxOwnerBytes: 1_000_000, maxUploads: 10 };
    const file = { owner, mediaType: 'text/plain', data: Buffer.from(TEXT), keepMs: 1_000_000 };
    const withDatabase = new SqliteStorage({ directory });
    await withDatabase.open();
    await withDatabase.blobs.upload({ ...file, id: 'old' }, limits);
    await withDatabase.close();
    const withBucket = new SqliteStorage({ directory, objects: objects() });
    await withBucket.open();
    await withBucket.blobs.upload({ ...file, id: 'new' }, limits);
    expect(await withBucket.retention.usedBytes()).toBeGreaterThan(2 * TEXT.length);
    for (const id of ['old', 'new'])
      expect(Buffer.from((await withBucket.blobs.get(owner, id))!.data).toString()).toBe(TEXT);
    await withBucket.close();
    const again = new SqliteStorage({ directory });
    await again.open();
    expect(Buffer.from((await again.blobs.get(owner, 'old'))!.data).toString()).toBe(TEXT);
    await expect(again.blobs.get(owner, 'new')).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('in an object store, and none is set'),
    });
    await again.close();
  });
});
