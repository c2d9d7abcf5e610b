import { beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import { FileService, MAX_FILES, MAX_MESSAGE_FILE_BYTES, type FileRules } from './file.service.js';
import { DEFAULT_FILE_LIMITS, DEFAULT_UPLOAD_RULES } from './run-files.js';
import { ADA } from './run.testing.js';
import type { MessageFile } from './start-request.js';

const EVE = { ...ADA, userId: 'eve' };
const PNG = Buffer.from('\x89PNG\r\n\x1a\n and so on', 'latin1');
const AGENT = { name: 'agent', accepts: ['image/*', 'text/*'] };

describe('FileService', () => {
  let storage: MemoryStorage;
  const createService = (rules: Partial<FileRules> = {}) =>
    new FileService(storage.blobs, { ...DEFAULT_FILE_LIMITS, ...DEFAULT_UPLOAD_RULES, ...rules });

  beforeEach(() => {
    storage = new MemoryStorage();
  });

  it('tells the type of an upload by its bytes, and believes a declared one for text only', async () => {
    const service = createService({ types: ['*/*'] });
    const typed = (data: Uint8Array, mediaType?: string) =>
      service.upload(ADA, { data, mediaType, name: 'a' });
    expect(await typed(PNG, 'text/html')).toMatchObject({ mediaType: 'image/png', name: 'a' });
    expect(await typed(Buffer.from('hi'), 'text/markdown')).toMatchObject({
      mediaType: 'text/markdown',
      bytes: 2,
    });
    expect(await typed(Buffer.from([1, 0, 2]), 'text/plain')).toMatchObject({
      mediaType: 'application/octet-stream',
    });
    expect(await typed(Buffer.from('MZ'), 'image/png')).toMatchObject({
      mediaType: 'application/octet-stream',
    });
  });

  it('refuses what is empty, too large, of another type, or more than there is room for', async () => {
    const service = createService({
      maxFileBytes: 100,
      maxOwnerBytes: 2 * PNG.byteLength,
      types: ['image/png'],
    });
    const refused = (data: Uint8Array, mediaType?: string) =>
      service.upload(ADA, { data, mediaType }).then(
        () => undefined,
        ({ code }: { readonly code: string }) => code,
      );
    expect(await refused(Buffer.alloc(0))).toBe('REQUEST_INVALID');
    expect(await refused(Buffer.alloc(101))).toBe('REQUEST_TOO_LARGE');
    expect(await refused(Buffer.from('hi'), 'text/plain')).toBe('FILE_REFUSED');
    expect(await refused(PNG)).toBeUndefined();
    expect(await refused(PNG)).toBeUndefined();
    expect(await refused(PNG)).toBe('FILES_FULL');
    await expect(service.upload(EVE, { data: PNG })).resolves.toMatchObject({ mediaType: 'image/png' });
  });

  it('removes an upload of its owner, and of no other user', async () => {
    const service = createService();
    const { fileId } = await service.upload(ADA, { data: PNG });
    await expect(service.remove(EVE, fileId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(service.remove(ADA, '../..')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await service.remove(ADA, fileId);
    await expect(service.get(ADA, fileId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('prepares the files of a message in their order, and removes what it stored for one that came to nothing', async () => {
    const service = createService();
    const { fileId } = await service.upload(ADA, { data: PNG, name: 'first.png' });
    const prepared = await service.prepare(
      ADA,
      [{ data: Buffer.from('text'), mediaType: 'text/plain', name: 'second.txt' }, { fileId }],
      AGENT,
    );
    const { files } = prepared;
    expect(files).toMatchObject([
      { mediaType: 'text/plain', name: 'second.txt', bytes: 4 },
      { mediaType: 'image/png', name: 'first.png', fileId },
    ]);
    await prepared.discard();
    const ids = files.map((file) => file.fileId ?? '');
    expect(await storage.blobs.describe(ADA, ids)).toMatchObject([{ id: fileId }]);
  });

  it('stores nothing for a message of which one file is refused', async () => {
    const service = createService({ maxFileBytes: MAX_MESSAGE_FILE_BYTES });
    const data: MessageFile = { data: Buffer.from('text'), mediaType: 'text/plain' };
    const { fileId } = await service.upload(EVE, { data: PNG });
    const half = { data: Buffer.concat([PNG, Buffer.alloc(MAX_MESSAGE_FILE_BYTES / 2)]) };
    const refusals: [readonly MessageFile[], string][] = [
      [[data, { fileId }], 'NOT_FOUND'],
      [[data, { fileId: '..' }], 'NOT_FOUND'],
      [[data, { data: Buffer.from('%PDF-1') }], 'FILE_NOT_ACCEPTED'],
      [[data, { data: Buffer.from([0]) }], 'FILE_REFUSED'],
      [[data, { url: 'https://example.com/a.png' }], 'FILE_REFUSED'],
      [[half, half], 'REQUEST_TOO_LARGE'],
      [Array.from({ length: MAX_FILES + 1 }, () => data), 'REQUEST_INVALID'],
    ];
    const stored: string[] = [];
    const upload = storage.blobs.upload.bind(storage.blobs);
    storage.blobs.upload = (blob, limits) => {
      stored.push(blob.id);
      return upload(blob, limits);
    };
    for (const [files, code] of refusals)
      await expect(service.prepare(ADA, files, AGENT)).rejects.toMatchObject({ code });
    expect(stored).toEqual([]);
    await expect(service.prepare(ADA, [data], { name: 'none' })).rejects.toMatchObject({
      code: 'FILE_NOT_ACCEPTED',
      message: "The agent 'none' cannot read a file of the type text/plain. It takes no files.",
    });
  });

  it('removes the files that it has stored when there is no room for the next one', async () => {
    const service = createService({ maxOwnerBytes: 5 });
    const data = { data: Buffer.from('text'), mediaType: 'text/plain' };
    await expect(service.prepare(ADA, [data, data], AGENT)).rejects.toMatchObject({ code: 'FILES_FULL' });
    await expect(service.prepare(ADA, [data], AGENT)).resolves.toMatchObject({ files: [{ bytes: 4 }] });
  });
});
