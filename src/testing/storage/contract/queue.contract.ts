import type { ContractSuite } from '../storage-harness.js';
import { LEASE_MS, claimRun, endRun, newRun } from '../storage-samples.js';

export function queueContract({ describe, test, expect }: ContractSuite): void {
  describe('the queue of a thread', () => {
    test('starts the runs of a thread one after the other in their order', async ({ storage }) => {
      for (const id of ['r1', 'r2', 'r3']) {
        const created = await storage.runs.create(newRun(id, { threadId: 't1', whenBusy: 'queue' }));
        expect(created).toMatchObject({ outcome: 'created', run: { status: 'pending' } });
      }
      for (const id of ['r1', 'r2', 'r3']) {
        const run = await claimRun(storage);
        expect(run?.id).toBe(id);
        expect(await claimRun(storage)).toBeUndefined();
        if (run) await endRun(storage, run);
      }
    });

    test('does not hold up other threads by queued runs', async ({ storage }) => {
      await storage.runs.create(newRun('r1', { threadId: 't1' }));
      await storage.runs.create(newRun('r2', { threadId: 't1', whenBusy: 'queue' }));
      await storage.runs.create(newRun('r3', { threadId: 't2' }));
      expect((await claimRun(storage))?.id).toBe('r1');
      expect((await claimRun(storage))?.id).toBe('r3');
    });

    test('returns an orphaned run before the run behind it', async ({ storage, advance }) => {
      await storage.runs.create(newRun('r1', { threadId: 't1' }));
      await claimRun(storage);
      await storage.runs.create(newRun('r2', { threadId: 't1', whenBusy: 'queue' }));
      await advance(LEASE_MS);
      expect((await claimRun(storage))?.id).toBe('r1');
      expect(await claimRun(storage)).toBeUndefined();
    });
  });
}
