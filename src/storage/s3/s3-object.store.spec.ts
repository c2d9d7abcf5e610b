import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { BUCKET, S3Server } from '../../../test/harness/s3.server.js';
import { until } from '../../../test/support/until.js';
import { FaultProxy, type ConnectionFaults } from '../../testing/fault.proxy.js';
import type { S3ObjectStoreOptions } from './s3-object-store.options.js';
import { S3ObjectStore } from './s3-object.store.js';

const DATA = Uint8Array.from({ length: 300_000 }, (_, index) => index % 251);
const AWAY = {
  code: 'STORAGE_FAILED',
  retryable: true,
  message: expect.stringContaining('cannot be reached'),
};

let server: S3Server;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  server = await S3Server.start();
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(() => server?.stop());

function open(options: Partial<S3ObjectStoreOptions> = {}): S3ObjectStore {
  const store = new S3ObjectStore({ ...server.options, ...options });
  closing.push(() => store.close());
  return store;
}

/** A store whose connections have faults. */
async function openBehind(faults: (connection: number) => ConnectionFaults, patienceMs?: number) {
  const proxy = await FaultProxy.listen({ target: () => server.port, faults });
  closing.push(() => proxy.close());
  const store = open({ endpoint: proxy.origin, ...(patienceMs !== undefined && { patienceMs }) });
  return { store, proxy };
}

describe('S3ObjectStore', () => {
  it('stores, returns and removes objects below its prefix', async () => {
    const store = open({ prefix: 'one/' });
    await store.open();
    await store.put('a', DATA);
    expect(await server.names('one/')).toEqual(['one/a']);
    expect(Buffer.from((await store.get('a', DATA.byteLength))!).equals(DATA)).toBe(true);
    expect(await open({ prefix: 'two/' }).get('a', DATA.byteLength)).toBeUndefined();
    await store.delete('a');
    await store.delete('a');
    expect(await store.get('a', DATA.byteLength)).toBeUndefined();
    expect(await server.names('one/')).toEqual([]);
  });

  it('takes an object for lost that does not have its number of bytes', async () => {
    const store = open({ prefix: 'length/' });
    await store.put('a', DATA);
    for (const bytes of [DATA.byteLength - 1, DATA.byteLength + 1])
      await expect(store.get('a', bytes)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });

  it('signs what it asks: another secret is refused, and the message has neither', async () => {
    const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'another-secret' };
    const store = open({ credentials, prefix: 'signed/' });
    const refused = await store.put('a', DATA).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'STORAGE_FAILED',
      cause: { message: expect.stringContaining('SignatureDoesNotMatch') },
    });
    expect(inspect(refused)).not.toMatch(/S3RVER'|another-secret/);
    expect(await server.names('signed/')).toEqual([]);
  });

  it.each([
    ['another secret', 'SignatureDoesNotMatch', { accessKeyId: 'S3RVER', secretAccessKey: 'another-secret' }],
    ['an unknown key', 'InvalidAccessKeyId', { accessKeyId: 'unknown', secretAccessKey: 'another-secret' }],
  ])('refuses at the start %s', async (_, name, credentials) => {
    await expect(open({ credentials }).open()).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringMatching(
        new RegExp(
          `^The bucket '${BUCKET}' of 127\\.0\\.0\\.1:\\d+ refuses this server \\(${name}\\)\\. Check its credentials, `,
        ),
      ),
    });
  });

  it('refuses at the start a bucket that refuses this server, and takes one that only does not list its objects', async () => {
    closing.push(async () => server.denied.clear());
    server.denied.add('GET');
    await open().open();
    server.denied.add('DELETE');
    await expect(open().open()).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining(
        'refuses this server (AccessDenied). Check its credentials, and that they may read, write and delete',
      ),
    });
  });

  it('refuses at the start a bucket that does not exist', async () => {
    await expect(open({ bucket: 'no-such-bucket' }).open()).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringMatching(
        /^There is no bucket 'no-such-bucket' of 127\.0\.0\.1:\d+\. Create it, or set /,
      ),
    });
  });

  it('starts while the server is away, and says so to who stores a file then', async () => {
    const proxy = await FaultProxy.listen({ target: () => undefined });
    closing.push(() => proxy.close());
    const store = open({ endpoint: proxy.origin });
    await store.open();
    await expect(store.put('a', DATA)).rejects.toMatchObject(AWAY);
    await expect(store.get('a', 1)).rejects.toMatchObject(AWAY);
    await expect(store.delete('a')).rejects.toMatchObject(AWAY);
    // It has tried more than once.
    expect(proxy.connections).toBeGreaterThan(5);
  });

  it('reads an object again whose connection breaks off in the middle', async () => {
    await open({ prefix: 'broken/' }).put('a', DATA);
    const { store, proxy } = await openBehind((connection) =>
      connection === 0 ? { resetAfterBytes: 150_000 } : {},
    );
    const data = await store.get('broken/a', DATA.byteLength);
    expect(Buffer.from(data!).equals(DATA)).toBe(true);
    expect(proxy.connections).toBe(2);
  });

  it('gives up on a server that takes connections and does not answer', async () => {
    const { store } = await openBehind(() => ({ silentAfterMs: 0 }), 300);
    await expect(store.put('a', DATA)).rejects.toMatchObject(AWAY);
    await expect(store.get('a', 1)).rejects.toMatchObject(AWAY);
  });

  it('starts within seconds beside a server that takes connections and does not answer', async () => {
    const { store } = await openBehind(() => ({ silentAfterMs: 0 }));
    const beganAt = performance.now();
    await store.open();
    expect(performance.now() - beganAt).toBeLessThan(9_000);
  });

  it('gives up a removal when it is told to', async () => {
    const { store, proxy } = await openBehind(() => ({ silentAfterMs: 0 }));
    const stopping = new AbortController();
    const removal = store.delete('a', stopping.signal);
    const beganAt = performance.now();
    await until(() => proxy.connections > 0);
    stopping.abort();
    await expect(removal).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(performance.now() - beganAt).toBeLessThan(9_000);
  });

  it('names its place without its credentials', () => {
    expect(open().location).toBe(`bucket '${BUCKET}' of 127.0.0.1:${server.port}`);
    expect(open({ endpoint: 'https://user:secret@example.com' }).location).not.toContain('secret');
  });
});
