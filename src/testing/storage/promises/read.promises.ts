import type { RunEvent } from '../../../events/run-event.js';
import type { PromiseSuite } from '../storage.harness.js';
import { batchOf, ownedRun, recorded } from '../storage.samples.js';

const AWKWARD_TEXT = 'line\nfeed \r\n\u0000\u2028 "quotes" \\ 😀 \ud800 data: id: é';

export function readPromises({ describe, promise, expect }: PromiseSuite): void {
  describe('read', () => {
    promise('gives what comes after any seq, over the borders of batches', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      const batches = [batchOf(run, 0, 3), batchOf(run, 3, 1), batchOf(run, 4, 4)];
      await storage.log.append(batches);
      const events = batches.flatMap((batch) => batch.events);
      for (let afterSeq = 0; afterSeq <= 8; afterSeq += 1) {
        for (const limit of [1, 2, 5, 100]) {
          const expected = events.slice(afterSeq, afterSeq + limit);
          expect(await storage.log.read('r1', afterSeq, limit)).toEqual(expected);
        }
      }
    });

    promise('gives nothing past the tail, of an empty log, and of an unknown run', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      expect(await storage.log.read('r1', 0, 10)).toEqual([]);
      await storage.log.append([batchOf(run, 0, 2)]);
      expect(await storage.log.read('r1', 2, 10)).toEqual([]);
      expect(await storage.log.read('r1', 99, 10)).toEqual([]);
      expect(await storage.log.read('r2', 0, 10)).toEqual([]);
    });

    promise('sees what was appended before it in the same turn', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      const appended = storage.log.append([batchOf(run, 0, 2)]);
      const log = await storage.log.read('r1', 0, 10);
      expect(log).toHaveLength(2);
      expect(await appended).toEqual(['appended']);
    });

    promise('gives every event back as it was, whatever is in it', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      const custom: RunEvent = {
        type: 'custom',
        name: 'n',
        data: { deep: [null, 1.5, -0.1, true, { '': [] }], AWKWARD_TEXT },
      };
      const events = [
        recorded(run, 1, { type: 'text-delta', partId: 'p1', delta: AWKWARD_TEXT }),
        recorded(run, 2, custom),
        recorded(run, 3, { type: 'text-delta', partId: 'p1', delta: '' }),
      ];
      await storage.log.append([{ runId: 'r1', epoch: run.epoch, afterSeq: 0, events }]);
      expect(await storage.log.read('r1', 0, 10)).toEqual(events);
    });

    promise('keeps the logs of runs apart', async ({ storage }) => {
      const first = await ownedRun(storage, 'r1');
      const second = await ownedRun(storage, 'r2');
      await storage.log.append([batchOf(first, 0, 2), batchOf(second, 0, 3)]);
      expect(await storage.log.read('r1', 0, 10)).toEqual(batchOf(first, 0, 2).events);
      expect(await storage.log.read('r2', 0, 10)).toEqual(batchOf(second, 0, 3).events);
    });
  });
}
