import { beforeEach, describe, expect, it } from '@jest/globals';
import { ALICE, newRun } from '../testing/storage/storage-samples.js';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import type { Run } from './run.js';
import { createFileKeeper, type FileLimits } from './run-files.js';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

const LIMITS: FileLimits = { maxFileBytes: 1_000, maxOwnerBytes: 10_000 };

describe('createFileKeeper', () => {
  let storage: MemoryStorage;

  beforeEach(() => {
    storage = new MemoryStorage();
  });

  async function keeper({ runId = 'r1', ...limits }: Partial<FileLimits> & { runId?: string } = {}) {
    const created = await storage.runs.create(newRun(runId));
    if (created.outcome !== 'created') throw new Error(created.outcome);
    return createFileKeeper(created.run, storage.blobs, { ...LIMITS, ...limits });
  }

  async function find(runId: string): Promise<Run> {
    const run = await storage.runs.get(runId);
    if (!run) throw new Error(`There is no run ${runId}.`);
    return run;
  }

  it.each([
    ['bytes', { data: new Uint8Array(PNG) }],
    ['base64', { data: PNG.toString('base64') }],
    ['an address with the bytes in it', { url: `data:image/png;base64,${PNG.toString('base64')}` }],
    ['such an address in the place of base64', { data: `data:image/png;base64,${PNG.toString('base64')}` }],
  ])('keeps %s under an id, by the type that the bytes show', async (_what, given) => {
    const keep = await keeper();
    const file = await keep({ ...given, mediaType: 'text/html', name: 'dot.png' });
    expect(file).toEqual({
      mediaType: 'image/png',
      name: 'dot.png',
      bytes: PNG.length,
      fileId: expect.any(String),
    });
    const stored = await storage.blobs.get(ALICE, file.fileId ?? '');
    expect(Buffer.from(stored?.data ?? [])).toEqual(PNG);
  });

  it('keeps the same bytes once in a run, and apart in another of its thread', async () => {
    const keep = await keeper();
    const { fileId } = await keep({ data: PNG });
    expect((await keep({ data: PNG })).fileId).toBe(fileId);
    const afterTakeover = createFileKeeper(await find('r1'), storage.blobs, LIMITS);
    expect((await afterTakeover({ data: PNG })).fileId).toBe(fileId);
    const second = { threadId: 'thread-of-r1', thread: 'any', whenBusy: 'queue' } as const;
    await storage.runs.create(newRun('r2', second));
    expect((await find('r2')).threadKey).toBe((await find('r1')).threadKey);
    const later = createFileKeeper(await find('r2'), storage.blobs, LIMITS);
    expect((await later({ data: PNG })).fileId).not.toBe(fileId);
  });

  it('leaves an address of the web as it is, and names no other', async () => {
    const keep = await keeper();
    const url = 'https://example.com/a.jpg';
    expect(await keep({ url, mediaType: 'image/jpeg' })).toEqual({ mediaType: 'image/jpeg', url });
    for (const other of ['file:///etc/passwd', 'gs://bucket/a', 'javascript:alert(1)', 'a.jpg'])
      expect(await keep({ url: other })).toEqual({
        mediaType: 'application/octet-stream',
        omitted: 'unreachable',
      });
  });

  it('says which file it has left out, and why', async () => {
    const keep = await keeper({ maxFileBytes: 100, maxOwnerBytes: 100 });
    expect(await keep({ data: Buffer.alloc(101) })).toMatchObject({ bytes: 101, omitted: 'too-large' });
    expect(await keep({ data: 'A'.repeat(1_000) })).toMatchObject({ omitted: 'too-large' });
    expect(await keep({ data: PNG })).toMatchObject({ fileId: expect.any(String) });
    expect(await keep({ data: Buffer.alloc(90) })).toMatchObject({ bytes: 90, omitted: 'no-room' });
    expect(await keep({ mediaType: 'image/png' })).toEqual({ mediaType: 'image/png', omitted: 'unreadable' });
  });
});
