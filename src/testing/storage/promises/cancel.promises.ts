import type { PromiseSuite } from '../storage.harness.js';
import { LEASE_MS, claimRun, endRun, newRun, ownedRun, ownershipOf } from '../storage.samples.js';

export function cancelPromises({ describe, promise, expect }: PromiseSuite): void {
  describe('requestCancel', () => {
    promise('shows the wish to the owner at its next renewal', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      const asked = await storage.runs.requestCancel('r1');
      expect(asked).toMatchObject({ id: 'r1', status: 'running', cancelRequested: true });
      const results = await storage.runs.renew({ runs: [ownershipOf(run)], leaseMs: LEASE_MS });
      expect(results).toEqual([{ runId: 'r1', outcome: 'renewed', cancelRequested: true }]);
    });

    promise('shows the wish to whoever claims the run afterwards', async ({ storage }) => {
      await storage.runs.create(newRun('r1'));
      await storage.runs.requestCancel('r1');
      expect(await claimRun(storage)).toMatchObject({ id: 'r1', cancelRequested: true });
    });

    promise('changes nothing of a run that has ended, and knows no unknown run', async ({ storage }) => {
      await endRun(storage, await ownedRun(storage, 'r1'));
      const before = await storage.runs.get('r1');
      expect(await storage.runs.requestCancel('r1')).toEqual(before);
      expect(await storage.runs.requestCancel('r2')).toBeUndefined();
    });
  });
}
