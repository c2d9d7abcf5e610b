import type { Storage } from '../../../storage/storage.js';
import type { ContractSuite, StorageHarness } from '../storage-harness.js';
import {
  LEASE_MS,
  toBatch,
  begunRun,
  claimedRun,
  toEnding,
  newRun,
  ownedRun,
  toOwnership,
} from '../storage-samples.js';

/** For storages whose data can be put back to an earlier state. What happened since never happened, and nothing may pass for it. */
export function restoreContract({ describe, test, expect }: ContractSuite): void {
  describe('a restored storage', () => {
    test('gives no epoch again that was given after the backup', async (harness) => {
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

    test('continues a restored run after its last event, with an epoch that differs from the lost ones', async (harness) => {
      const { storage, advance } = harness;
      const run = await ownedRun(storage, 'r1');
      await storage.log.append([toBatch(run, 0, 3)]);
      const restore = await backup(harness);
      await storage.log.append([toBatch(run, 3, 4)]);
      await advance(LEASE_MS);
      const lost = await claimedRun(storage, 'lost');
      await storage.log.append([toBatch(lost, 7, 2), toEnding(lost, 9)]);

      const restored = await restore();
      await advance(LEASE_MS);
      const next = await claimedRun(restored, 'next');
      expect(next).toMatchObject({ id: 'r1', status: 'running', lastSeq: 3 });
      await restored.log.append([toBatch(next, 3, 7)]);
      const log = await restored.log.read('r1', 0, 100);
      expect(log.slice(0, 3)).toEqual(toBatch(run, 0, 3).events);
      expect(log.slice(3).every(({ epoch }) => epoch !== run.epoch && epoch !== lost.epoch)).toBe(true);
    });

    test('refuses owners from after the backup', async (harness) => {
      const { storage, advance } = harness;
      const run = await ownedRun(storage, 'r1');
      await storage.log.append([toBatch(run, 0, 3)]);
      const restore = await backup(harness);
      await storage.log.append([toBatch(run, 3)]);
      await advance(LEASE_MS);
      const lost = await claimedRun(storage, 'lost');

      const restored = await restore();
      // One is behind what it knows to be there; the other was never an owner.
      const late = [toBatch(run, 4), toBatch(lost, 4), toBatch(lost, 3)];
      for (const batch of late) expect(await restored.log.append([batch])).toEqual(['fenced']);
      const renewal = { runs: [toOwnership(lost)], leaseMs: LEASE_MS };
      expect(await restored.runs.renew(renewal)).toMatchObject([{ outcome: 'fenced' }]);
      expect(await restored.log.read('r1', 0, 100)).toHaveLength(3);
    });

    test('refuses an owner from after the backup, even when its run is created again', async (harness) => {
      const restore = await backup(harness);
      const lost = await begunRun(harness.storage, 'r1');
      const restored = await restore();
      expect(await restored.log.append([toBatch(lost, 0)])).toEqual(['fenced']);
      const again = await begunRun(restored, 'r1');
      expect(again.epoch === lost.epoch).toBe(false);
      expect(await restored.log.append([toBatch(lost, 0), toBatch(again, 0)])).toEqual([
        'fenced',
        'appended',
      ]);
    });

    test('has no run from after the backup, and its key is free', async (harness) => {
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
