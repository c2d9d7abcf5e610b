import type { ContractSuite } from '../storage-harness.js';
import { LEASE_MS, claimRun, endRun, newRun, ownedRun, toOwnership } from '../storage-samples.js';

export function cancelContract({ describe, test, expect }: ContractSuite): void {
  describe('requestCancel', () => {
    test('reports a requested cancel to the owner at its next renewal', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      const asked = await storage.runs.requestCancel('r1');
      expect(asked).toMatchObject({ id: 'r1', status: 'running', cancelRequested: true });
      const results = await storage.runs.renew({ runs: [toOwnership(run)], leaseMs: LEASE_MS });
      expect(results).toEqual([{ runId: 'r1', outcome: 'renewed', cancelRequested: true }]);
    });

    test('reports a requested cancel to an owner that claims the run afterwards', async ({ storage }) => {
      await storage.runs.create(newRun('r1'));
      await storage.runs.requestCancel('r1');
      expect(await claimRun(storage)).toMatchObject({ id: 'r1', cancelRequested: true });
    });

    test('changes nothing when an ended run is cancelled, and returns nothing for an unknown one', async ({
      storage,
    }) => {
      await endRun(storage, await ownedRun(storage, 'r1'));
      const before = await storage.runs.get('r1');
      expect(await storage.runs.requestCancel('r1')).toEqual(before);
      expect(await storage.runs.requestCancel('r2')).toBeUndefined();
    });
  });
}
