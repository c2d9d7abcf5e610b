import { beforeEach, describe, expect, it } from '@jest/globals';
import { ALICE, ownedRun } from '../../testing/storage/storage-samples.js';
import { MemoryStorage } from '../memory/memory.storage.js';
import { MapObjectStore } from './map-object.store.testing.js';

const DATA = new Uint8Array(100);
const UPLOAD = { owner: ALICE, mediaType: 'image/png', data: DATA, keepMs: 60_000 };

describe('ObjectBlobStore', () => {
  let stores: MapObjectStore;
  let storage: MemoryStorage;
  let puts: number;

  beforeEach(() => {
    stores = new MapObjectStore();
    storage = new MemoryStorage({ objects: stores });
    puts = 0;
    const put = stores.put.bind(stores);
    stores.put = async (name, data) => {
      puts += 1;
      await put(name, data);
    };
  });

  it('stores no bytes of a file for which its owner has no room', async () => {
    const { blobs } = storage;
    const limits = { maxOwnerBytes: 250, maxUploads: 10 };
    for (const id of ['a', 'b']) expect(await blobs.upload({ ...UPLOAD, id }, limits)).toBe('stored');
    expect(await blobs.upload({ ...UPLOAD, id: 'c' }, limits)).toBe('full');
    expect(await blobs.upload({ ...UPLOAD, id: 'c' }, { maxOwnerBytes: 1_000, maxUploads: 2 })).toBe('full');
    const { threadKey } = await ownedRun(storage, 'r1', { threadId: 't1' });
    const blob = { owner: ALICE, threadKey, id: 'd', mediaType: 'image/png', data: DATA };
    expect(await blobs.put(blob, limits.maxOwnerBytes)).toBe('full');
    expect(puts).toBe(2);
  });

  it('lets the next removal take an object whose row is refused', async () => {
    const { blobs } = storage;
    const limits = { maxOwnerBytes: 250, maxUploads: 10 };
    const uploads = ['a', 'b', 'c', 'd'].map((id) => blobs.upload({ ...UPLOAD, id }, limits));
    expect((await Promise.all(uploads)).toSorted()).toEqual(['full', 'full', 'stored', 'stored']);
    const blob = { owner: ALICE, threadKey: 'none', id: 'e', mediaType: 'image/png', data: DATA };
    expect(await blobs.put(blob, 1_000)).toBe('gone');
    expect(stores.objects.size).toBe(5);
    expect(await blobs.removeLeftovers(10)).toBe(3);
    expect(stores.objects.size).toBe(2);
  });

  it('keeps the note of an object that may still arrive', async () => {
    const { blobs } = storage;
    stores.put = async (name, data) => {
      stores.objects.set(name, data);
      throw new Error('No answer.');
    };
    const limits = { maxOwnerBytes: 250, maxUploads: 10 };
    await expect(blobs.upload({ ...UPLOAD, id: 'a' }, limits)).rejects.toThrow('No answer.');
    expect(await blobs.removeLeftovers(10)).toBe(0);
  });
});
