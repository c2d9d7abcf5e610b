import type { PromiseSuite } from '../storage.harness.js';
import { LEASE_MS, batchOf, claimRun, endRun, newRun, ownedRun } from '../storage.samples.js';

export function appendPromises({ describe, promise, expect }: PromiseSuite): void {
  describe('append', () => {
    promise('appends batch after batch and counts them in the run', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      const batches = [batchOf(run, 0, 3), batchOf(run, 3), batchOf(run, 4, 2)];
      for (const batch of batches) expect(await storage.log.append([batch])).toEqual(['appended']);
      expect(await storage.log.read('r1', 0, 100)).toEqual(batches.flatMap(({ events }) => events));
      expect((await storage.runs.get('r1'))?.lastSeq).toBe(6);
    });

    promise(
      'takes the calls of one turn in their order when nobody waits between them',
      async ({ storage }) => {
        const run = await ownedRun(storage, 'r1');
        const calls = Array.from({ length: 50 }, (_, index) =>
          storage.log.append([batchOf(run, index * 2, 2)]),
        );
        expect(await Promise.all(calls)).toEqual(calls.map(() => ['appended']));
        const log = await storage.log.read('r1', 0, 1_000);
        expect(log.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
      },
    );

    promise('takes several batches of one run in one call', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      expect(await storage.log.append([batchOf(run, 0, 2), batchOf(run, 2)])).toEqual([
        'appended',
        'appended',
      ]);
      expect(await storage.log.read('r1', 0, 100)).toHaveLength(3);
    });

    promise('refuses a batch of an owner that was replaced, whole', async ({ storage, advance }) => {
      const old = await ownedRun(storage, 'r1');
      await storage.log.append([batchOf(old, 0)]);
      await advance(LEASE_MS);
      const current = await claimRun(storage, 'other');
      expect(await storage.log.append([batchOf(old, 1, 3)])).toEqual(['fenced']);
      expect(await storage.log.read('r1', 0, 100)).toHaveLength(1);
      if (current) expect(await storage.log.append([batchOf(current, 1)])).toEqual(['appended']);
      const log = await storage.log.read('r1', 0, 100);
      expect(log.map(({ epoch }) => epoch)).toEqual([old.epoch, current?.epoch]);
    });

    promise('refuses an epoch that nobody has been given', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      expect(await storage.log.append([batchOf({ ...run, epoch: run.epoch + 1 }, 0)])).toEqual(['fenced']);
      expect(await storage.log.read('r1', 0, 100)).toEqual([]);
    });

    promise('refuses a batch that would leave a gap or write a seq again', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      await storage.log.append([batchOf(run, 0, 4)]);
      for (const afterSeq of [0, 3, 5]) {
        expect(await storage.log.append([batchOf(run, afterSeq, 2)])).toEqual(['fenced']);
      }
      expect(await storage.log.read('r1', 0, 100)).toEqual(batchOf(run, 0, 4).events);
    });

    promise('refuses what comes after the end, and what belongs to no run', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      await endRun(storage, run);
      const unknown = { ...run, id: 'r2' };
      expect(await storage.log.append([batchOf(run, 1), batchOf(unknown, 0)])).toEqual(['fenced', 'fenced']);
      expect(await storage.log.read('r1', 0, 100)).toHaveLength(1);
      expect(await storage.log.read('r2', 0, 100)).toEqual([]);
    });

    promise(
      'takes the good batches of a call and refuses the others, each in its place',
      async ({ storage }) => {
        for (const id of ['r1', 'r2', 'r3']) await storage.runs.create(newRun(id));
        const [first, second, third] = [
          await claimRun(storage),
          await claimRun(storage),
          await claimRun(storage),
        ];
        if (!first || !second || !third) throw new Error('Three runs wait for an owner.');
        const results = await storage.log.append([
          batchOf(first, 0, 2),
          batchOf(second, 7),
          batchOf(third, 0),
        ]);
        expect(results).toEqual(['appended', 'fenced', 'appended']);
        expect(await storage.log.read('r1', 0, 100)).toHaveLength(2);
        expect(await storage.log.read('r2', 0, 100)).toEqual([]);
        expect(await storage.log.read('r3', 0, 100)).toHaveLength(1);
      },
    );

    promise('refuses the later calls of a turn when an earlier one was refused', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      const calls = [batchOf(run, 1, 2), batchOf(run, 3)].map((batch) => storage.log.append([batch]));
      expect(await Promise.all(calls)).toEqual([['fenced'], ['fenced']]);
      expect(await storage.log.read('r1', 0, 100)).toEqual([]);
    });
  });
}
