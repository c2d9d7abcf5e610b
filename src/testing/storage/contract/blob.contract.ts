import type { Owner } from '../../../principal.js';
import type { NewBlob } from '../../../runs/blob.store.js';
import { BlobRowStore } from '../../../storage/objects/blob-row.store.js';
import type { Storage } from '../../../storage/storage.js';
import type { ContractSuite } from '../storage-harness.js';
import { ALICE, BOB, endRun, OTHER_ALICE, ownedRun } from '../storage-samples.js';

const ROOM = 1_000_000;

/** Bytes of every value. */
const DATA = Uint8Array.from({ length: 512 }, (_, index) => index % 256);

async function blobIn(
  storage: Storage,
  differences: Partial<NewBlob> = {},
  run = { id: 'r1', threadId: 't1' },
): Promise<NewBlob> {
  const { threadKey, principal } = await ownedRun(storage, run.id, { threadId: run.threadId });
  return { owner: principal, threadKey, id: 'b1', mediaType: 'image/png', data: DATA, ...differences };
}

async function has({ blobs }: Storage, owner: Owner, id = 'b1'): Promise<boolean> {
  return (await blobs.get(owner, id)) !== undefined;
}

export function blobContract({ describe, test, expect }: ContractSuite): void {
  describe('blobs', () => {
    test('returns a blob as it was stored, to its owner only', async ({ storage }) => {
      const name = 'NUL \u0000, "quotes" \\ é.png';
      expect(await storage.blobs.put(await blobIn(storage, { name }), ROOM)).toBe('stored');
      const found = await storage.blobs.get(ALICE, 'b1');
      expect({ ...found, data: [] }).toEqual({ id: 'b1', mediaType: 'image/png', name, data: [] });
      expect([...(found?.data ?? [])]).toEqual([...DATA]);
      for (const other of [BOB, OTHER_ALICE]) expect(await has(storage, other)).toBe(false);
      expect(await has(storage, ALICE, 'b2')).toBe(false);
    });

    test('keeps a blob as it is when one of its id is stored again', async ({ storage }) => {
      const blob = await blobIn(storage);
      await storage.blobs.put(blob, ROOM);
      expect(await storage.blobs.put({ ...blob, mediaType: 'text/plain' }, 0)).toBe('stored');
      expect((await storage.blobs.get(ALICE, 'b1'))?.mediaType).toBe('image/png');
    });

    test('stores nothing for a thread that its owner does not have', async ({ storage }) => {
      const blob = await blobIn(storage);
      expect(await storage.blobs.put({ ...blob, owner: BOB }, ROOM)).toBe('gone');
      expect(await storage.blobs.put({ ...blob, threadKey: 'none' }, ROOM)).toBe('gone');
      for (const owner of [ALICE, BOB]) expect(await has(storage, owner)).toBe(false);
    });

    test('stores nothing beyond what an owner may hold, whatever is stored at once', async ({ storage }) => {
      const blob = await blobIn(storage);
      const puts = Array.from({ length: 6 }, (_, n) =>
        storage.blobs.put({ ...blob, id: `b${n}` }, 3 * DATA.byteLength),
      );
      expect((await Promise.all(puts)).toSorted()).toEqual([
        ...Array<string>(3).fill('full'),
        ...Array<string>(3).fill('stored'),
      ]);
      const found = await Promise.all(puts.map((_, n) => has(storage, ALICE, `b${n}`)));
      expect(found.filter(Boolean)).toHaveLength(3);
    });

    test('deletes the blobs of a thread with it, and no others', async ({ storage }) => {
      const gone = await blobIn(storage);
      const kept = await blobIn(storage, { id: 'b2' }, { id: 'r2', threadId: 't2' });
      for (const blob of [gone, kept]) await storage.blobs.put(blob, ROOM);
      await storage.runs.deleteThread(ALICE, 't1');
      expect(await has(storage, ALICE)).toBe(false);
      expect(await has(storage, ALICE, 'b2')).toBe(true);
      expect(await storage.blobs.put(gone, ROOM)).toBe('gone');
    });

    test('leaves no blob behind when it is stored while its thread is deleted', async ({ storage }) => {
      for (const n of Array.from({ length: 10 }, (_, index) => index)) {
        const run = { id: `r${n}`, threadId: `t${n}` };
        const blob = await blobIn(storage, { id: `b${n}` }, run);
        await Promise.all([storage.runs.deleteThread(ALICE, run.threadId), storage.blobs.put(blob, ROOM)]);
        expect(await has(storage, ALICE, blob.id)).toBe(false);
      }
    });

    test('deletes the blobs of a thread that retention deletes', async ({ storage, advance }) => {
      const run = await ownedRun(storage, 'r1', { threadId: 't1' });
      const { threadKey, principal: owner } = run;
      await storage.blobs.put({ owner, threadKey, id: 'b1', mediaType: 'image/png', data: DATA }, ROOM);
      await endRun(storage, run);
      await advance(10);
      await storage.retention.deleteIdleThreads({ unchangedSince: Number.MAX_SAFE_INTEGER, limit: 10 });
      expect(await has(storage, ALICE)).toBe(false);
    });

    test('tells what an owner holds', async ({ storage }) => {
      const { blobs } = storage;
      // A storage whose files are no rows decides by itself.
      if (!(blobs instanceof BlobRowStore)) return;
      expect(await blobs.measure(ALICE)).toEqual({ bytes: 0, uploads: 0 });
      await blobs.put(await blobIn(storage), ROOM);
      const upload = { owner: ALICE, id: 'u1', mediaType: 'image/png', data: DATA, keepMs: 60_000 };
      await blobs.upload(upload, { maxOwnerBytes: ROOM, maxUploads: 1 });
      expect(await blobs.measure(ALICE)).toEqual({ bytes: 2 * DATA.byteLength, uploads: 1 });
      for (const other of [BOB, OTHER_ALICE])
        expect(await blobs.measure(other)).toEqual({ bytes: 0, uploads: 0 });
    });

    test('lets an object go before its time, unless a row names it', async ({ storage }) => {
      const { blobs } = storage;
      if (!(blobs instanceof BlobRowStore)) return;
      for (const object of ['refused', 'named', 'waiting']) await blobs.noteObject(object, 60_000);
      const { data: _, ...facts } = await blobIn(storage);
      await blobs.put({ ...facts, object: 'named', bytes: 3 }, ROOM);
      for (const object of ['refused', 'named', 'none']) await blobs.giveUpObject(object);
      const claimed = await blobs.claimObjects(10, 60_000);
      expect(claimed.filter((object) => ['refused', 'named', 'waiting'].includes(object))).toEqual([
        'refused',
      ]);
      const late = { ...facts, id: 'b2', object: 'refused', bytes: 3 };
      await expect(blobs.put(late, ROOM)).rejects.toThrow();
    });
  });
}
