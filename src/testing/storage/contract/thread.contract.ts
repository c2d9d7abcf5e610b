import type { ContractSuite } from '../storage-harness.js';
import { ALICE, BOB, OTHER_ALICE, claimRun, endRun, newRun, ownedRun } from '../storage-samples.js';

export function threadContract({ describe, test, expect }: ContractSuite): void {
  describe('threads', () => {
    test('creates a thread with its first run and titles it with the first line of the message', async ({
      storage,
    }) => {
      const message = '  How tall is it?\nAnd how old?';
      const run = await ownedRun(storage, 'r1', { threadId: 't1', message });
      expect(await storage.runs.getThread(ALICE, 't1')).toEqual({
        id: 't1',
        owner: { userId: ALICE.userId, tenant: ALICE.tenant },
        title: 'How tall is it?',
        createdAt: run.createdAt,
        updatedAt: run.createdAt,
        activeRunId: 'r1',
      });
      expect(await storage.runs.getThread(ALICE, 't2')).toBeUndefined();
    });

    test('keeps the title of a thread when more runs follow', async ({ storage }) => {
      await endRun(storage, await ownedRun(storage, 'r1', { threadId: 't1', message: 'first' }));
      await storage.runs.create(newRun('r2', { threadId: 't1', message: 'second' }));
      expect(await storage.runs.getThread(ALICE, 't1')).toMatchObject({ title: 'first', activeRunId: 'r2' });
    });

    test('names the oldest run that has not ended as the active one of its thread', async ({ storage }) => {
      const first = await ownedRun(storage, 'r1', { threadId: 't1' });
      await storage.runs.create(newRun('r2', { threadId: 't1', whenBusy: 'queue' }));
      expect((await storage.runs.getThread(ALICE, 't1'))?.activeRunId).toBe('r1');
      await endRun(storage, first);
      expect((await storage.runs.getThread(ALICE, 't1'))?.activeRunId).toBe('r2');
    });

    test('changes a thread when a run is created and when it ends, but not in between', async ({
      storage,
      advance,
    }) => {
      const updatedAt = async () => (await storage.runs.getThread(ALICE, 't1'))?.updatedAt ?? 0;
      await storage.runs.create(newRun('r1', { threadId: 't1' }));
      const created = await updatedAt();
      await advance(10);
      const run = await claimRun(storage);
      expect(await updatedAt()).toBe(created);
      if (run) await endRun(storage, run);
      expect(await updatedAt()).toBe(created + 10);
      await advance(10);
      await storage.runs.create(newRun('r2', { threadId: 't1' }));
      expect(await updatedAt()).toBe(created + 20);
    });

    test('lists threads to their owner only', async ({ storage }) => {
      await storage.runs.create(newRun('r1', { threadId: 't1' }));
      await storage.runs.create(newRun('r2', { threadId: 't2', principal: BOB }));
      const ids = async (owner: typeof ALICE) =>
        (await storage.runs.listThreads(owner, { limit: 10 })).items.map(({ id }) => id);
      expect(await ids(ALICE)).toEqual(['t1']);
      expect(await ids({ ...BOB, roles: [] })).toEqual(['t2']);
      expect(await ids({ ...OTHER_ALICE, roles: [] })).toEqual([]);
    });
  });
}
