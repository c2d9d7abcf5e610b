import type { ContractSuite } from '../storage-harness.js';
import { ALICE, toBatch, endRun, newRun, ownedRun } from '../storage-samples.js';

export function deleteContract({ describe, test, expect }: ContractSuite): void {
  describe('deleteThread', () => {
    test('deletes the thread, its runs and their logs, and no others', async ({ storage }) => {
      const gone = await ownedRun(storage, 'gone', { threadId: 't1' });
      await endRun(storage, gone);
      const kept = await ownedRun(storage, 'kept', { threadId: 't2' });
      await storage.log.append([toBatch(kept, 0, 2)]);
      await storage.runs.deleteThread(ALICE, 't1');

      expect(await storage.runs.getThread(ALICE, 't1')).toBeUndefined();
      expect(await storage.runs.get('gone')).toBeUndefined();
      expect(await storage.log.read('gone', 0, 10)).toEqual([]);
      expect(await storage.runs.listRuns(ALICE, 't1', { limit: 10 })).toEqual({ items: [] });
      const { items } = await storage.runs.listThreads(ALICE, { limit: 10 });
      expect(items.map(({ id }) => id)).toEqual(['t2']);
      expect(await storage.log.read('kept', 0, 10)).toHaveLength(2);
    });

    test('leaves no old events to a later run with the same id', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1', { threadId: 't1' });
      await storage.log.append([toBatch(run, 0, 2)]);
      await storage.runs.deleteThread(ALICE, 't1');
      await ownedRun(storage, 'r1', { threadId: 't1' });
      expect(await storage.log.read('r1', 0, 10)).toEqual([]);
    });

    test('refuses what the owner of a deleted run appends', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1', { threadId: 't1' });
      await storage.runs.deleteThread(ALICE, 't1');
      expect(await storage.log.append([toBatch(run, 0)])).toEqual(['fenced']);
    });

    test('frees the idempotency keys of the deleted runs', async ({ storage }) => {
      const idempotency = { key: 'k-1', fingerprint: 'f-1' };
      await storage.runs.create(newRun('r1', { threadId: 't1', idempotency }));
      await storage.runs.deleteThread(ALICE, 't1');
      const created = await storage.runs.create(newRun('r2', { idempotency }));
      expect(created).toMatchObject({ outcome: 'created', run: { id: 'r2' } });
    });

    test('accepts to delete a thread that does not exist', async ({ storage }) => {
      expect(await storage.runs.deleteThread(ALICE, 't1')).toBeUndefined();
    });
  });
}
