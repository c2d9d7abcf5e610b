import type { Storage } from '../../../storage/storage.js';
import type { PromiseSuite, StorageHarness } from '../storage.harness.js';
import {
  LEASE_MS,
  batchOf,
  begunRun,
  claimedRun,
  endingOf,
  newRun,
  ownedRun,
  ownershipOf,
} from '../storage.samples.js';

/** For storages whose data can be put back to an earlier state. What happened since never happened, and nothing may pass for it. */
export function restorePromises({ describe, promise, expect }: PromiseSuite): void {
  describe('after an older copy was put back', () => {
    promise('no epoch of the lost time is given again', async (harness) => {
      const { storage, advance } = harness;
      const run = await ownedRun(storage, 'running');
      await storage.runs.create(newRun('pending'));
      const restore = await backup(harness);
      const lost: number[] = [];
      for (let claims = 0; claims < 3; claims += 1) {
        await advance(LEASE_MS);
        lost.push((await claimedRun(storage)).epoch, (await claimedRun(storage)).epoch);
      }

      const restored = await restore();
      const given: number[] = [];
      for (let claims = 0; claims < 3; claims += 1) {
        await advance(LEASE_MS);
        given.push((await claimedRun(restored)).epoch, (await claimedRun(restored)).epoch);
      }
      expect(new Set([run.epoch, ...lost, ...given]).size).toBe(1 + lost.length + given.length);
    });

    promise(
      'a run goes on after its last event there, and what was lost cannot be told to be there',
      async (harness) => {
        const { storage, advance } = harness;
        const run = await ownedRun(storage, 'r1');
        await storage.log.append([batchOf(run, 0, 3)]);
        const restore = await backup(harness);
        await storage.log.append([batchOf(run, 3, 4)]);
        await advance(LEASE_MS);
        const lost = await claimedRun(storage, 'lost');
        await storage.log.append([batchOf(lost, 7, 2), endingOf(lost, 9)]);

        const restored = await restore();
        await advance(LEASE_MS);
        const next = await claimedRun(restored, 'next');
        expect(next).toMatchObject({ id: 'r1', status: 'running', lastSeq: 3 });
        await restored.log.append([batchOf(next, 3, 7)]);
        const log = await restored.log.read('r1', 0, 100);
        expect(log.slice(0, 3)).toEqual(batchOf(run, 0, 3).events);
        expect(log.slice(3).every(({ epoch }) => epoch !== run.epoch && epoch !== lost.epoch)).toBe(true);
      },
    );

    promise('the owners of the lost time are refused', async (harness) => {
      const { storage, advance } = harness;
      const run = await ownedRun(storage, 'r1');
      await storage.log.append([batchOf(run, 0, 3)]);
      const restore = await backup(harness);
      await storage.log.append([batchOf(run, 3)]);
      await advance(LEASE_MS);
      const lost = await claimedRun(storage, 'lost');

      const restored = await restore();
      // One is behind what it knows to be there; the other was never an owner.
      const late = [batchOf(run, 4), batchOf(lost, 4), batchOf(lost, 3)];
      for (const batch of late) expect(await restored.log.append([batch])).toEqual(['fenced']);
      const renewal = { runs: [ownershipOf(lost)], leaseMs: LEASE_MS };
      expect(await restored.runs.renew(renewal)).toMatchObject([{ outcome: 'fenced' }]);
      expect(await restored.log.read('r1', 0, 100)).toHaveLength(3);
    });

    promise(
      'an owner that a run had from its start is refused, also when that run is made again',
      async (harness) => {
        const restore = await backup(harness);
        const lost = await begunRun(harness.storage, 'r1');
        const restored = await restore();
        expect(await restored.log.append([batchOf(lost, 0)])).toEqual(['fenced']);
        const again = await begunRun(restored, 'r1');
        expect(again.epoch === lost.epoch).toBe(false);
        expect(await restored.log.append([batchOf(lost, 0), batchOf(again, 0)])).toEqual([
          'fenced',
          'appended',
        ]);
      },
    );

    promise('a run of the lost time is not there, and its key is free', async (harness) => {
      const restore = await backup(harness);
      const idempotency = { key: 'k-1', fingerprint: 'f-1' };
      await harness.storage.runs.create(newRun('r1', { idempotency }));
      const restored = await restore();
      expect(await restored.runs.get('r1')).toBeUndefined();
      expect(await restored.runs.create(newRun('r2', { idempotency }))).toMatchObject({ outcome: 'created' });
    });
  });
}

function backup(harness: StorageHarness): Promise<() => Promise<Storage>> {
  if (!harness.backup) throw new Error('A restorable storage needs a harness with backup().');
  return harness.backup();
}
