import type { Principal } from '../../../principal.js';
import type { Storage } from '../../../storage/storage.js';
import type { ContractSuite } from '../storage-harness.js';
import { ALICE, BOB, endRun, OTHER_ALICE, ownedRun } from '../storage-samples.js';

export function lifetimeContract({ describe, test, expect }: ContractSuite): void {
  describe('deleteExpiredThreads', () => {
    const NEVER = Number.MAX_SAFE_INTEGER;
    const create = async (storage: Storage, id: string, ttlMs?: number, principal: Principal = ALICE) => {
      const { userId, tenant } = principal;
      const facts = { id, owner: { userId, tenant }, key: `key-of-${id}-${userId}-${tenant}` };
      return (await storage.runs.createThread({ ...facts, ...(ttlMs !== undefined && { ttlMs }) })).thread;
    };
    const remove = async (storage: Storage, now: number, limit = 10) =>
      (await storage.retention.deleteExpiredThreads({ now, limit })).map(({ id }) => id);

    test('deletes threads at the end of their lifetimes, the longest expired first, and no others', async ({
      storage,
    }) => {
      const long = await create(storage, 'long', 90_000);
      const short = await create(storage, 'short', 60_000);
      await create(storage, 'endless');
      expect(short.ttlMs).toBe(60_000);
      const due = short.expiresAt ?? 0;
      expect(due).toBe(short.createdAt + 60_000);
      expect(await remove(storage, due - 1)).toEqual([]);
      expect(await remove(storage, due)).toEqual(['short']);
      expect(await storage.runs.getThread(ALICE, 'short')).toBeUndefined();
      await create(storage, 'short', 60_000);
      expect(await remove(storage, NEVER, 1)).toEqual(['short']);
      expect(await storage.runs.getThread(ALICE, 'long')).toEqual(long);
      expect(await remove(storage, NEVER)).toEqual(['long']);
      expect(await storage.runs.getThread(ALICE, 'endless')).toMatchObject({ id: 'endless' });
    });

    test('counts a lifetime from the last change, and a new one from when it is given', async ({
      storage,
      advance,
    }) => {
      await create(storage, 't1', 60_000);
      await advance(50);
      await endRun(storage, await ownedRun(storage, 'r1', { threadId: 't1' }));
      const ended = await storage.runs.getThread(ALICE, 't1');
      expect(ended?.expiresAt).toBe((ended?.updatedAt ?? 0) + 60_000);
      await advance(50);
      const longer = await storage.runs.changeThread(ALICE, 't1', { ttlMs: 70_000 });
      expect(longer?.ttlMs).toBe(70_000);
      expect((longer?.expiresAt ?? 0) > (ended?.updatedAt ?? 0) + 70_000).toBe(true);
      expect(longer?.updatedAt).toBe(ended?.updatedAt);
      expect(await storage.runs.changeThread(ALICE, 't1', { title: 'T' })).toEqual({ ...longer, title: 'T' });
      const endless = await storage.runs.changeThread(ALICE, 't1', { ttlMs: null });
      expect([endless?.ttlMs, endless?.expiresAt]).toEqual([undefined, undefined]);
      expect(await remove(storage, NEVER)).toEqual([]);
    });

    test('keeps a thread with a run that goes on, and deletes it with its runs afterwards', async ({
      storage,
    }) => {
      await create(storage, 't1', 60_000);
      const run = await ownedRun(storage, 'r1', { threadId: 't1' });
      expect(await remove(storage, NEVER)).toEqual([]);
      await endRun(storage, run);
      expect(await remove(storage, NEVER)).toEqual(['t1']);
      expect(await storage.runs.get('r1')).toBeUndefined();
      expect(await storage.log.read('r1', 0, 10)).toEqual([]);
    });

    test('keeps the threads of others that have the same id', async ({ storage }) => {
      await create(storage, 't1', 60_000);
      const others = [
        await create(storage, 't1', undefined, BOB),
        await create(storage, 't1', undefined, OTHER_ALICE),
      ];
      expect(await storage.runs.changeThread(BOB, 'none', { ttlMs: 60_000 })).toBeUndefined();
      expect(await remove(storage, NEVER)).toEqual(['t1']);
      expect(await storage.runs.getThread(ALICE, 't1')).toBeUndefined();
      expect([
        await storage.runs.getThread(BOB, 't1'),
        await storage.runs.getThread(OTHER_ALICE, 't1'),
      ]).toEqual(others);
    });
  });
}
