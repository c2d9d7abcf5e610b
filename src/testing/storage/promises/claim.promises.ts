import type { PromiseSuite } from '../storage.harness.js';
import { LEASE_MS, claimRun, endRun, newRun, ownedRun } from '../storage.samples.js';

export function claimPromises({ describe, promise, expect }: PromiseSuite): void {
  describe('claim', () => {
    promise('gives nothing when nothing waits', async ({ storage }) => {
      expect(await claimRun(storage)).toBeUndefined();
    });

    promise('gives the oldest run, running, with its first epoch', async ({ storage }) => {
      await storage.runs.create(newRun('r1'));
      await storage.runs.create(newRun('r2'));
      const run = await claimRun(storage);
      expect(run).toMatchObject({ id: 'r1', status: 'running', epoch: 1 });
      expect(typeof run?.startedAt).toBe('number');
      expect(await storage.runs.get('r1')).toEqual(run);
    });

    promise('gives no run twice while its lease lasts', async ({ storage, advance }) => {
      await ownedRun(storage, 'r1');
      await advance(LEASE_MS - 1);
      expect(await claimRun(storage, 'other')).toBeUndefined();
    });

    promise(
      'gives a run whose lease has run out to the next, with the next epoch',
      async ({ storage, advance }) => {
        const first = await ownedRun(storage, 'r1');
        await advance(LEASE_MS);
        const second = await claimRun(storage, 'other');
        expect(second).toMatchObject({ id: 'r1', status: 'running', epoch: 2, startedAt: first.startedAt });
        await advance(LEASE_MS);
        expect(await claimRun(storage)).toMatchObject({ id: 'r1', epoch: 3 });
      },
    );

    promise('gives no run that has ended', async ({ storage, advance }) => {
      await endRun(storage, await ownedRun(storage, 'r1'));
      await advance(10 * LEASE_MS);
      expect(await claimRun(storage)).toBeUndefined();
    });
  });
}
