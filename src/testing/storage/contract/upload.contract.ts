import type { Owner } from '../../../principal.js';
import type { NewUpload } from '../../../runs/blob.store.js';
import type { NewRun } from '../../../runs/run.store.js';
import type { Storage } from '../../../storage/storage.js';
import type { ContractSuite } from '../storage-harness.js';
import { ALICE, BOB, newRun, OTHER_ALICE } from '../storage-samples.js';

const LIMITS = { maxOwnerBytes: 1_000_000, maxUploads: 100 };
const KEEP_MS = 10_000;

/** Bytes of every value. */
const DATA = Uint8Array.from({ length: 512 }, (_, index) => index % 256);

function upload(storage: Storage, id: string, differences: Partial<NewUpload> = {}, limits = LIMITS) {
  const { tenant, userId } = ALICE;
  return storage.blobs.upload(
    { owner: { tenant, userId }, id, mediaType: 'image/png', data: DATA, keepMs: KEEP_MS, ...differences },
    limits,
  );
}

/** Starts a run whose message has these files. */
function ask(storage: Storage, id: string, fileIds: readonly string[], differences: Partial<NewRun> = {}) {
  const files = fileIds.map((fileId) => ({ mediaType: 'image/png', fileId }));
  return storage.runs.create(newRun(id, { given: { files }, whenBusy: 'queue', ...differences }));
}

async function has({ blobs }: Storage, owner: Owner, id: string): Promise<boolean> {
  return (await blobs.get(owner, id)) !== undefined;
}

export function uploadContract({ describe, test, expect }: ContractSuite): void {
  describe('uploads', () => {
    test('returns an upload and its facts as they were stored, to its owner only', async ({ storage }) => {
      const name = 'NUL \u0000, "quotes" \\ é.png';
      expect(await upload(storage, 'u1', { name })).toBe('stored');
      const found = await storage.blobs.get(ALICE, 'u1');
      expect({ ...found, data: [...(found?.data ?? [])] }).toEqual({
        id: 'u1',
        mediaType: 'image/png',
        name,
        data: [...DATA],
      });
      expect(await storage.blobs.describe(ALICE, ['none', 'u1', 'u1'])).toEqual([
        { id: 'u1', mediaType: 'image/png', name, bytes: DATA.byteLength },
      ]);
      for (const other of [BOB, OTHER_ALICE]) {
        expect(await has(storage, other, 'u1')).toBe(false);
        expect(await storage.blobs.describe(other, ['u1'])).toEqual([]);
      }
    });

    test('stores nothing beyond the bytes and the uploads of an owner, whatever is stored at once', async ({
      storage,
    }) => {
      for (const limits of [
        { ...LIMITS, maxOwnerBytes: 3 * DATA.byteLength },
        { ...LIMITS, maxUploads: 3 },
      ]) {
        const puts = Array.from({ length: 6 }, (_, n) => upload(storage, `u${n}`, {}, limits));
        expect((await Promise.all(puts)).toSorted()).toEqual([
          ...Array<string>(3).fill('full'),
          ...Array<string>(3).fill('stored'),
        ]);
        await storage.blobs.deleteUploads(ALICE);
      }
    });

    test('removes those whose time is over, so many at a time, and none that a run has taken', async ({
      storage,
      advance,
    }) => {
      for (const id of ['u1', 'u2', 'u3', 'taken']) await upload(storage, id);
      await upload(storage, 'later', { keepMs: 10 * KEEP_MS });
      expect((await ask(storage, 'r1', ['taken'])).outcome).toBe('created');
      expect(await storage.blobs.deleteExpired(10)).toBe(0);
      await advance(KEEP_MS + 1);
      expect(await storage.blobs.deleteExpired(2)).toBe(2);
      expect(await storage.blobs.deleteExpired(2)).toBe(1);
      expect(await storage.blobs.deleteExpired(2)).toBe(0);
      expect(await has(storage, ALICE, 'taken')).toBe(true);
      expect(await has(storage, ALICE, 'later')).toBe(true);
    });

    test('removes uploads of an owner, and neither those of others nor files of a thread', async ({
      storage,
    }) => {
      for (const id of ['u1', 'u2', 'u3', 'taken']) await upload(storage, id);
      await upload(storage, 'u1', { owner: { tenant: BOB.tenant, userId: BOB.userId } });
      await ask(storage, 'r1', ['taken']);
      await storage.blobs.deleteUploads(ALICE, ['u1', 'taken', 'none']);
      expect(await storage.blobs.describe(ALICE, ['u1', 'taken', 'u2'])).toHaveLength(2);
      await storage.blobs.deleteUploads(ALICE);
      expect(await storage.blobs.describe(ALICE, ['u2', 'u3', 'taken'])).toMatchObject([{ id: 'taken' }]);
      expect(await has(storage, BOB, 'u1')).toBe(true);
    });

    test('makes the uploads of a message files of its thread, which are deleted with it', async ({
      storage,
    }) => {
      for (const id of ['u1', 'u2', 'other']) await upload(storage, id);
      for (const thread of ['new', 'existing'] as const) {
        const created = await ask(storage, `r-${thread}`, ['u1', 'u2', 'u1'], { threadId: 't1', thread });
        expect(created).toMatchObject({
          outcome: 'created',
          run: { given: { files: [{ fileId: 'u1' }, { fileId: 'u2' }, { fileId: 'u1' }] } },
        });
      }
      await storage.runs.deleteThread(ALICE, 't1');
      expect(await storage.blobs.describe(ALICE, ['u1', 'u2', 'other'])).toMatchObject([{ id: 'other' }]);
    });

    test('takes no file that its owner does not have, or that is in another thread, and stores no run then', async ({
      storage,
    }) => {
      await upload(storage, 'mine');
      await upload(storage, 'elsewhere');
      await upload(storage, 'his', { owner: { tenant: BOB.tenant, userId: BOB.userId } });
      await ask(storage, 'r1', ['elsewhere'], { threadId: 't1' });
      for (const fileId of ['elsewhere', 'his', 'none']) {
        const refused = await ask(storage, 'r2', ['mine', fileId], { threadId: 't2' });
        expect(refused).toEqual({ outcome: 'no-file', fileId });
      }
      expect(await storage.runs.get('r2')).toBeUndefined();
      expect(await storage.runs.getThread(ALICE, 't2')).toBeUndefined();
      // It is an upload still.
      await storage.blobs.deleteUploads(ALICE, ['mine']);
      expect(await has(storage, ALICE, 'mine')).toBe(false);
    });

    test('gives an upload to one of two threads that ask for it at once', async ({ storage }) => {
      for (const n of Array.from({ length: 5 }, (_, index) => index)) {
        for (const id of ['a', 'b']) await upload(storage, `${id}${n}`);
        const asked = await Promise.all([
          ask(storage, `r1-${n}`, [`a${n}`, `b${n}`]),
          ask(storage, `r2-${n}`, [`b${n}`, `a${n}`]),
        ]);
        expect(asked.map(({ outcome }) => outcome).toSorted()).toEqual(['created', 'no-file']);
      }
    });

    test('leaves no file behind when it is taken while its thread is deleted', async ({ storage }) => {
      for (const n of Array.from({ length: 10 }, (_, index) => index)) {
        const threadId = `t${n}`;
        await storage.runs.create(newRun(`first-${n}`, { threadId }));
        await upload(storage, `u${n}`);
        const [asked] = await Promise.all([
          ask(storage, `r${n}`, [`u${n}`], { threadId, thread: 'existing' }),
          storage.runs.deleteThread(ALICE, threadId),
        ]);
        const isUpload = asked.outcome === 'no-thread';
        expect(await has(storage, ALICE, `u${n}`)).toBe(isUpload);
      }
    });

    test('removes the oldest uploads of one owner, and no blob of a thread', async ({ storage, advance }) => {
      for (const id of ['z-first', 'taken', 'second', 'a-last']) {
        await upload(storage, id);
        await advance(10);
      }
      for (const owner of [BOB, OTHER_ALICE]) await upload(storage, 'u1', { owner });
      await ask(storage, 'r1', ['taken']);
      const left = async () =>
        (await storage.blobs.describe(ALICE, ['z-first', 'taken', 'second', 'a-last'])).map(({ id }) => id);
      expect(await storage.blobs.deleteOldestUploads(ALICE, 1)).toBe(1);
      expect((await left()).toSorted()).toEqual(['a-last', 'second', 'taken']);
      expect(await storage.blobs.deleteOldestUploads(ALICE, 1)).toBe(1);
      expect((await left()).toSorted()).toEqual(['a-last', 'taken']);
      expect(await storage.blobs.deleteOldestUploads(ALICE, 10)).toBe(1);
      expect(await storage.blobs.deleteOldestUploads(ALICE, 10)).toBe(0);
      expect(await left()).toEqual(['taken']);
      for (const owner of [BOB, OTHER_ALICE]) expect(await has(storage, owner, 'u1')).toBe(true);
    });
  });
}
