import type { PromiseSuite } from '../storage.harness.js';
import { LEASE_MS, claimRun, endRun, ownedRun } from '../storage.samples.js';

export function leasePromises({ describe, promise, expect }: PromiseSuite): void {
  describe('renew and release', () => {
    promise('prolongs a lease from the moment of the call', async ({ storage, advance }) => {
      await ownedRun(storage, 'r1');
      await advance(LEASE_MS - 1);
      const renewal = { runs: [{ runId: 'r1', epoch: 1 }], leaseMs: LEASE_MS };
      expect(await storage.runs.renew(renewal)).toEqual([
        { runId: 'r1', outcome: 'renewed', cancelRequested: false },
      ]);
      await advance(LEASE_MS - 1);
      expect(await claimRun(storage)).toBeUndefined();
      await advance(1);
      expect(await claimRun(storage)).toMatchObject({ id: 'r1', epoch: 2 });
    });

    promise(
      'renews what is still owned beside what is lost, in the order asked',
      async ({ storage, advance }) => {
        await ownedRun(storage, 'lost');
        await advance(LEASE_MS);
        await claimRun(storage, 'other');
        await ownedRun(storage, 'owned');
        await endRun(storage, await ownedRun(storage, 'ended'));
        const ids = ['lost', 'owned', 'ended', 'unknown'];
        const runs = ids.map((runId) => ({ runId, epoch: 1 }));
        const results = await storage.runs.renew({ runs, leaseMs: LEASE_MS });
        expect(results.map(({ runId }) => runId)).toEqual(ids);
        expect(results.map(({ outcome }) => outcome)).toEqual(['fenced', 'renewed', 'fenced', 'fenced']);
      },
    );

    promise('gives a released run to the next at once', async ({ storage }) => {
      await ownedRun(storage, 'r1');
      await storage.runs.release({ runId: 'r1', epoch: 1 });
      expect(await claimRun(storage, 'other')).toMatchObject({ id: 'r1', epoch: 2 });
    });

    promise('does not let a renewal that comes late take a released run back', async ({ storage }) => {
      await ownedRun(storage, 'r1');
      await storage.runs.release({ runId: 'r1', epoch: 1 });
      const runs = [{ runId: 'r1', epoch: 1 }];
      const [result] = await storage.runs.renew({ runs, leaseMs: LEASE_MS });
      expect(result?.outcome).toBe('fenced');
      expect(await claimRun(storage, 'other')).toMatchObject({ id: 'r1', epoch: 2 });
    });

    promise('ignores a release by an owner that was replaced', async ({ storage, advance }) => {
      await ownedRun(storage, 'r1');
      await advance(LEASE_MS);
      await claimRun(storage, 'other');
      await storage.runs.release({ runId: 'r1', epoch: 1 });
      expect(await claimRun(storage)).toBeUndefined();
    });
  });
}
