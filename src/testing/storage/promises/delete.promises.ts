import type { PromiseSuite } from '../storage.harness.js';
import { ALICE, batchOf, endRun, newRun, ownedRun } from '../storage.samples.js';

export function deletePromises({ describe, promise, expect }: PromiseSuite): void {
  describe('deleteThread', () => {
    promise('removes the thread, its runs and their logs, and no others', async ({ storage }) => {
      const gone = await ownedRun(storage, 'gone', { threadId: 't1' });
      await endRun(storage, gone);
      const kept = await ownedRun(storage, 'kept', { threadId: 't2' });
      await storage.log.append([batchOf(kept, 0, 2)]);
      await storage.runs.deleteThread('t1');

      expect(await storage.runs.getThread('t1')).toBeUndefined();
      expect(await storage.runs.get('gone')).toBeUndefined();
      expect(await storage.log.read('gone', 0, 10)).toEqual([]);
      expect(await storage.runs.listRuns('t1', { limit: 10 })).toEqual({ items: [] });
      const { items } = await storage.runs.listThreads(ALICE, { limit: 10 });
      expect(items.map(({ id }) => id)).toEqual(['t2']);
      expect(await storage.log.read('kept', 0, 10)).toHaveLength(2);
    });

    promise('leaves nothing of an old log to a run that comes later', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1', { threadId: 't1' });
      await storage.log.append([batchOf(run, 0, 2)]);
      await storage.runs.deleteThread('t1');
      await ownedRun(storage, 'r1', { threadId: 't1' });
      expect(await storage.log.read('r1', 0, 10)).toEqual([]);
    });

    promise('refuses what the owner of a deleted run still appends', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1', { threadId: 't1' });
      await storage.runs.deleteThread('t1');
      expect(await storage.log.append([batchOf(run, 0)])).toEqual(['fenced']);
    });

    promise('sets the idempotency keys of its runs free', async ({ storage }) => {
      const idempotency = { key: 'k-1', fingerprint: 'f-1' };
      await storage.runs.create(newRun('r1', { threadId: 't1', idempotency }));
      await storage.runs.deleteThread('t1');
      const created = await storage.runs.create(newRun('r2', { idempotency }));
      expect(created).toMatchObject({ outcome: 'created', run: { id: 'r2' } });
    });

    promise('is content when there is no such thread', async ({ storage }) => {
      expect(await storage.runs.deleteThread('t1')).toBeUndefined();
    });
  });
}
