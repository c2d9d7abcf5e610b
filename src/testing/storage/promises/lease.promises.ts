import type { PromiseSuite } from '../storage.harness.js';
import { LEASE_MS, claimRun, endRun, ownedRun, ownershipOf } from '../storage.samples.js';

export function leasePromises({ describe, promise, expect }: PromiseSuite): void {
  describe('renew and release', () => {
    promise('prolongs a lease from the moment of the call', async ({ storage, advance }) => {
      const run = await ownedRun(storage, 'r1');
      await advance(LEASE_MS - 1);
      const renewal = { runs: [ownershipOf(run)], leaseMs: LEASE_MS };
      expect(await storage.runs.renew(renewal)).toEqual([
        { runId: 'r1', outcome: 'renewed', cancelRequested: false },
      ]);
      await advance(LEASE_MS - 1);
      expect(await claimRun(storage)).toBeUndefined();
      await advance(1);
      expect(await claimRun(storage)).toMatchObject({ id: 'r1' });
    });

    promise(
      'renews what is still owned beside what is lost, in the order asked',
      async ({ storage, advance }) => {
        const lost = await ownedRun(storage, 'lost');
        await advance(LEASE_MS);
        await claimRun(storage, 'other');
        const owned = await ownedRun(storage, 'owned');
        const ended = await ownedRun(storage, 'ended');
        await endRun(storage, ended);
        const runs = [lost, owned, ended, { ...owned, id: 'unknown' }].map(ownershipOf);
        const results = await storage.runs.renew({ runs, leaseMs: LEASE_MS });
        expect(results.map(({ runId }) => runId)).toEqual(['lost', 'owned', 'ended', 'unknown']);
        expect(results.map(({ outcome }) => outcome)).toEqual(['fenced', 'renewed', 'fenced', 'fenced']);
      },
    );

    promise('gives a released run to the next at once', async ({ storage }) => {
      await storage.runs.release(ownershipOf(await ownedRun(storage, 'r1')));
      expect(await claimRun(storage, 'other')).toMatchObject({ id: 'r1' });
    });

    promise('does not let a renewal that comes late take a released run back', async ({ storage }) => {
      const owner = ownershipOf(await ownedRun(storage, 'r1'));
      await storage.runs.release(owner);
      const [result] = await storage.runs.renew({ runs: [owner], leaseMs: LEASE_MS });
      expect(result?.outcome).toBe('fenced');
      expect(await claimRun(storage, 'other')).toMatchObject({ id: 'r1' });
    });

    promise('ignores a release by an owner that was replaced', async ({ storage, advance }) => {
      const replaced = ownershipOf(await ownedRun(storage, 'r1'));
      await advance(LEASE_MS);
      await claimRun(storage, 'other');
      await storage.runs.release(replaced);
      expect(await claimRun(storage)).toBeUndefined();
    });
  });
}
