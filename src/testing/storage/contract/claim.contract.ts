import type { ContractSuite } from '../storage-harness.js';
import { LEASE_MS, claimRun, endRun, newRun, ownedRun, claimedRun } from '../storage-samples.js';

export function claimContract({ describe, test, expect }: ContractSuite): void {
  describe('claim', () => {
    test('claims nothing when no run waits', async ({ storage }) => {
      expect(await claimRun(storage)).toBeUndefined();
    });

    test('claims the oldest run as running, with an epoch', async ({ storage }) => {
      await storage.runs.create(newRun('r1'));
      await storage.runs.create(newRun('r2'));
      const run = await claimRun(storage);
      expect(run).toMatchObject({ id: 'r1', status: 'running' });
      expect((run?.epoch ?? 0) > 0).toBe(true);
      expect(typeof run?.startedAt).toBe('number');
      expect(await storage.runs.get('r1')).toEqual(run);
    });

    test('does not let a run be claimed again while its lease lasts', async ({ storage, advance }) => {
      await ownedRun(storage, 'r1');
      await advance(LEASE_MS - 1);
      expect(await claimRun(storage, 'other')).toBeUndefined();
    });

    test('gives a run with an expired lease to the next owner, with a higher epoch', async ({
      storage,
      advance,
    }) => {
      const first = await ownedRun(storage, 'r1');
      await advance(LEASE_MS);
      const second = await claimedRun(storage, 'other');
      expect(second).toMatchObject({ id: 'r1', status: 'running', startedAt: first.startedAt });
      await advance(LEASE_MS);
      const third = await claimedRun(storage);
      expect(third.id).toBe('r1');
      expect(first.epoch < second.epoch && second.epoch < third.epoch).toBe(true);
    });

    test('does not let a run be claimed that has ended', async ({ storage, advance }) => {
      await endRun(storage, await ownedRun(storage, 'r1'));
      await advance(10 * LEASE_MS);
      expect(await claimRun(storage)).toBeUndefined();
    });
  });
}
