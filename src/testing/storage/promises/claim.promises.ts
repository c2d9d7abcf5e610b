import type { PromiseSuite } from '../storage.harness.js';
import { LEASE_MS, claimRun, endRun, newRun, ownedRun, claimedRun } from '../storage.samples.js';

export function claimPromises({ describe, promise, expect }: PromiseSuite): void {
  describe('claim', () => {
    promise('gives nothing when nothing waits', async ({ storage }) => {
      expect(await claimRun(storage)).toBeUndefined();
    });

    promise('gives the oldest run, running, with an epoch', async ({ storage }) => {
      await storage.runs.create(newRun('r1'));
      await storage.runs.create(newRun('r2'));
      const run = await claimRun(storage);
      expect(run).toMatchObject({ id: 'r1', status: 'running' });
      expect((run?.epoch ?? 0) > 0).toBe(true);
      expect(typeof run?.startedAt).toBe('number');
      expect(await storage.runs.get('r1')).toEqual(run);
    });

    promise('gives no run twice while its lease lasts', async ({ storage, advance }) => {
      await ownedRun(storage, 'r1');
      await advance(LEASE_MS - 1);
      expect(await claimRun(storage, 'other')).toBeUndefined();
    });

    promise(
      'gives a run whose lease has run out to the next, with a higher epoch',
      async ({ storage, advance }) => {
        const first = await ownedRun(storage, 'r1');
        await advance(LEASE_MS);
        const second = await claimedRun(storage, 'other');
        expect(second).toMatchObject({ id: 'r1', status: 'running', startedAt: first.startedAt });
        await advance(LEASE_MS);
        const third = await claimedRun(storage);
        expect(third.id).toBe('r1');
        expect(first.epoch < second.epoch && second.epoch < third.epoch).toBe(true);
      },
    );

    promise('gives no run that has ended', async ({ storage, advance }) => {
      await endRun(storage, await ownedRun(storage, 'r1'));
      await advance(10 * LEASE_MS);
      expect(await claimRun(storage)).toBeUndefined();
    });
  });
}
