import type { ContractSuite } from '../storage-harness.js';
import { LEASE_MS, toBatch, claimRun, endRun, newRun, ownedRun } from '../storage-samples.js';

export function appendContract({ describe, test, expect }: ContractSuite): void {
  describe('append', () => {
    test('appends batches in order and counts their events in the run', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      const batches = [toBatch(run, 0, 3), toBatch(run, 3), toBatch(run, 4, 2)];
      for (const batch of batches) expect(await storage.log.append([batch])).toEqual(['appended']);
      expect(await storage.log.read('r1', 0, 100)).toEqual(batches.flatMap(({ events }) => events));
      expect((await storage.runs.get('r1'))?.lastSeq).toBe(6);
    });

    test('appends the calls of one turn in order when they do not wait for each other', async ({
      storage,
    }) => {
      const run = await ownedRun(storage, 'r1');
      const calls = Array.from({ length: 50 }, (_, index) =>
        storage.log.append([toBatch(run, index * 2, 2)]),
      );
      expect(await Promise.all(calls)).toEqual(calls.map(() => ['appended']));
      const log = await storage.log.read('r1', 0, 1_000);
      expect(log.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    });

    test('appends several batches of one run in one call', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      expect(await storage.log.append([toBatch(run, 0, 2), toBatch(run, 2)])).toEqual([
        'appended',
        'appended',
      ]);
      expect(await storage.log.read('r1', 0, 100)).toHaveLength(3);
    });

    test('refuses the whole batch of an owner that was replaced', async ({ storage, advance }) => {
      const old = await ownedRun(storage, 'r1');
      await storage.log.append([toBatch(old, 0)]);
      await advance(LEASE_MS);
      const current = await claimRun(storage, 'other');
      expect(await storage.log.append([toBatch(old, 1, 3)])).toEqual(['fenced']);
      expect(await storage.log.read('r1', 0, 100)).toHaveLength(1);
      if (current) expect(await storage.log.append([toBatch(current, 1)])).toEqual(['appended']);
      const log = await storage.log.read('r1', 0, 100);
      expect(log.map(({ epoch }) => epoch)).toEqual([old.epoch, current?.epoch]);
    });

    test('refuses an epoch that was never given to an owner', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      expect(await storage.log.append([toBatch({ ...run, epoch: run.epoch + 1 }, 0)])).toEqual(['fenced']);
      expect(await storage.log.read('r1', 0, 100)).toEqual([]);
    });

    test('refuses a batch that would leave a gap or repeat a seq', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      await storage.log.append([toBatch(run, 0, 4)]);
      for (const afterSeq of [0, 3, 5]) {
        expect(await storage.log.append([toBatch(run, afterSeq, 2)])).toEqual(['fenced']);
      }
      expect(await storage.log.read('r1', 0, 100)).toEqual(toBatch(run, 0, 4).events);
    });

    test('refuses events after the end of a run and events of an unknown run', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      await endRun(storage, run);
      const unknown = { ...run, id: 'r2' };
      expect(await storage.log.append([toBatch(run, 1), toBatch(unknown, 0)])).toEqual(['fenced', 'fenced']);
      expect(await storage.log.read('r1', 0, 100)).toHaveLength(1);
      expect(await storage.log.read('r2', 0, 100)).toEqual([]);
    });

    test('appends the valid batches of a call and refuses the others', async ({ storage }) => {
      for (const id of ['r1', 'r2', 'r3']) await storage.runs.create(newRun(id));
      const [first, second, third] = [
        await claimRun(storage),
        await claimRun(storage),
        await claimRun(storage),
      ];
      if (!first || !second || !third) throw new Error('Three runs wait for an owner.');
      const results = await storage.log.append([toBatch(first, 0, 2), toBatch(second, 7), toBatch(third, 0)]);
      expect(results).toEqual(['appended', 'fenced', 'appended']);
      expect(await storage.log.read('r1', 0, 100)).toHaveLength(2);
      expect(await storage.log.read('r2', 0, 100)).toEqual([]);
      expect(await storage.log.read('r3', 0, 100)).toHaveLength(1);
    });

    test('refuses the later calls of a turn when an earlier one was refused', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      const calls = [toBatch(run, 1, 2), toBatch(run, 3)].map((batch) => storage.log.append([batch]));
      expect(await Promise.all(calls)).toEqual([['fenced'], ['fenced']]);
      expect(await storage.log.read('r1', 0, 100)).toEqual([]);
    });
  });
}
