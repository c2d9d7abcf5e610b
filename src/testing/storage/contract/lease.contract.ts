import type { ContractSuite } from '../storage-harness.js';
import {
  LEASE_MS,
  begunRun,
  claimRun,
  claimedRun,
  endRun,
  newRun,
  ownedRun,
  toOwnership,
} from '../storage-samples.js';

export function leaseContract({ describe, test, expect }: ContractSuite): void {
  describe('renew and release', () => {
    test('extends a lease from the moment of the call', async ({ storage, advance }) => {
      const run = await ownedRun(storage, 'r1');
      await advance(LEASE_MS - 1);
      const renewal = { runs: [toOwnership(run)], leaseMs: LEASE_MS };
      expect(await storage.runs.renew(renewal)).toEqual([
        { runId: 'r1', outcome: 'renewed', cancelRequested: false },
      ]);
      await advance(LEASE_MS - 1);
      expect(await claimRun(storage)).toBeUndefined();
      await advance(1);
      expect(await claimRun(storage)).toMatchObject({ id: 'r1' });
    });

    test('renews owned runs and fences lost ones, in the order of the request', async ({
      storage,
      advance,
    }) => {
      const lost = await ownedRun(storage, 'lost');
      await advance(LEASE_MS);
      await claimRun(storage, 'other');
      const owned = await ownedRun(storage, 'owned');
      const ended = await ownedRun(storage, 'ended');
      await endRun(storage, ended);
      const runs = [lost, owned, ended, { ...owned, id: 'unknown' }].map(toOwnership);
      const results = await storage.runs.renew({ runs, leaseMs: LEASE_MS });
      expect(results.map(({ runId }) => runId)).toEqual(['lost', 'owned', 'ended', 'unknown']);
      expect(results.map(({ outcome }) => outcome)).toEqual(['fenced', 'renewed', 'fenced', 'fenced']);
    });

    test('lets a released run be claimed at once', async ({ storage }) => {
      await storage.runs.release(toOwnership(await ownedRun(storage, 'r1')));
      expect(await claimRun(storage, 'other')).toMatchObject({ id: 'r1' });
    });

    test('refuses a renewal that comes after a release', async ({ storage }) => {
      const owner = toOwnership(await ownedRun(storage, 'r1'));
      await storage.runs.release(owner);
      const [result] = await storage.runs.renew({ runs: [owner], leaseMs: LEASE_MS });
      expect(result?.outcome).toBe('fenced');
      expect(await claimRun(storage, 'other')).toMatchObject({ id: 'r1' });
    });

    test('counts owners whose leases expired, and not those that released the run', async (harness) => {
      const { storage, advance } = harness;
      const first = await ownedRun(storage, 'r1');
      expect(first.deaths).toBeUndefined();
      await advance(LEASE_MS);
      const second = await claimedRun(storage, 'second');
      expect(second.deaths).toBe(1);
      await storage.runs.release(toOwnership(second));
      const third = await claimedRun(storage, 'third');
      expect(third.deaths).toBe(1);
      await advance(LEASE_MS);
      expect(await claimRun(storage, 'fourth')).toMatchObject({ id: 'r1', deaths: 2 });
      expect(await storage.runs.get('r1')).toMatchObject({ deaths: 2 });
    });

    test('counts the death of an owner that had the run from its start', async ({ storage, advance }) => {
      await begunRun(storage, 'r1');
      await advance(LEASE_MS);
      expect(await claimRun(storage, 'other')).toMatchObject({ id: 'r1', deaths: 1 });
    });

    test('does not return runs in hand to a claim of their owner, even after their leases', async ({
      storage,
      advance,
    }) => {
      const run = await ownedRun(storage, 'r1');
      await storage.runs.create(newRun('r2'));
      await advance(LEASE_MS);
      const claim = { ownerId: 'owner', leaseMs: LEASE_MS, inHand: ['r1'] };
      expect(await storage.runs.claim(claim)).toMatchObject({ id: 'r2' });
      expect(await storage.runs.claim({ ...claim, inHand: ['r1', 'r2'] })).toBeUndefined();
      const [renewed] = await storage.runs.renew({ runs: [toOwnership(run)], leaseMs: LEASE_MS });
      expect(renewed?.outcome).toBe('renewed');
      expect(await claimRun(storage, 'other')).toBeUndefined();
    });

    test('passes over runs in a claim with the number of deaths that it excepts', async ({
      storage,
      advance,
    }) => {
      await ownedRun(storage, 'twice');
      await advance(LEASE_MS);
      await claimRun(storage, 'other');
      await ownedRun(storage, 'once');
      await advance(LEASE_MS);
      const claim = { ownerId: 'owner', leaseMs: LEASE_MS, exceptDeaths: 2 };
      expect(await storage.runs.claim(claim)).toMatchObject({ id: 'once', deaths: 1 });
      expect(await storage.runs.claim(claim)).toBeUndefined();
      expect(await claimRun(storage)).toMatchObject({ id: 'twice', deaths: 2 });
    });

    test('ignores a release by an owner that was replaced', async ({ storage, advance }) => {
      const replaced = toOwnership(await ownedRun(storage, 'r1'));
      await advance(LEASE_MS);
      await claimRun(storage, 'other');
      await storage.runs.release(replaced);
      expect(await claimRun(storage)).toBeUndefined();
    });
  });
}
