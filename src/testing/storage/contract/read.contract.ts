import type { RecordedEvent } from '../../../events/recorded-event.js';
import type { RunEvent } from '../../../events/run-event.js';
import type { ContractSuite } from '../storage-harness.js';
import { toBatch, ownedRun, recorded } from '../storage-samples.js';

/** Maximum bytes of a page without a larger event. */
const MOST_PAGE_BYTES = 1024 * 1024;

const AWKWARD_TEXT = 'line\nfeed \r\n\u0000\u2028 "quotes" \\ 😀 \ud800 data: id: é';

export function readContract({ describe, test, expect }: ContractSuite): void {
  describe('read', () => {
    test('returns the events after any seq, across batches', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      const batches = [toBatch(run, 0, 3), toBatch(run, 3, 1), toBatch(run, 4, 4)];
      await storage.log.append(batches);
      const events = batches.flatMap((batch) => batch.events);
      for (let afterSeq = 0; afterSeq <= 8; afterSeq += 1) {
        for (const limit of [1, 2, 5, 100]) {
          const expected = events.slice(afterSeq, afterSeq + limit);
          expect(await storage.log.read('r1', afterSeq, limit)).toEqual(expected);
        }
      }
    });

    test('returns a long log in pages of bounded size up to the last event', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      const delta = 'x'.repeat(40_000);
      const events = Array.from({ length: 60 }, (_, index) =>
        recorded(run, index + 1, { type: 'text-delta', partId: 'p1', delta: `${index} ${delta}` }),
      );
      // As many rows, and all in one.
      for (const [afterSeq, batch] of [
        [0, events.slice(0, 1)],
        [1, events.slice(1, 2)],
        [2, events.slice(2)],
      ] as const) {
        await storage.log.append([{ runId: 'r1', epoch: run.epoch, afterSeq, events: batch }]);
      }
      const read: RecordedEvent[] = [];
      for (let pages = 0; ; pages += 1) {
        const page = await storage.log.readPage('r1', read.length, 1_000);
        const bytes = JSON.stringify(page.events).length;
        expect(bytes < MOST_PAGE_BYTES).toBe(true);
        expect(page.bytes <= bytes).toBe(true);
        if (page.events.length === 0) expect(page.atTail).toBe(true);
        read.push(...page.events);
        if (!page.atTail) continue;
        expect(pages > 2).toBe(true);
        break;
      }
      expect(read).toEqual(events);
    });

    test('returns an event that is larger than a page, and the events after it', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      const events = ['small', 'l'.repeat(2 * MOST_PAGE_BYTES), 'l'.repeat(MOST_PAGE_BYTES), 'end'].map(
        (delta, index) => recorded(run, index + 1, { type: 'text-delta', partId: 'p1', delta }),
      );
      await storage.log.append([{ runId: 'r1', epoch: run.epoch, afterSeq: 0, events }]);
      const seqs: number[][] = [];
      for (let after = 0, atTail = false; !atTail; after = seqs.at(-1)?.at(-1) ?? after) {
        const page = await storage.log.readPage('r1', after, 1_000);
        expect(page.events).toEqual(events.slice(after, after + page.events.length));
        seqs.push(page.events.map(({ seq }) => seq));
        ({ atTail } = page);
      }
      expect(seqs.flat()).toEqual([1, 2, 3, 4]);
      expect(seqs.filter((page) => page.includes(2) && page.includes(3))).toEqual([]);
      expect((await storage.log.readPage('r1', 1, 1)).events).toHaveLength(1);
    });

    test('returns no events past the tail, of an empty log and of an unknown run', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      expect(await storage.log.read('r1', 0, 10)).toEqual([]);
      await storage.log.append([toBatch(run, 0, 2)]);
      expect(await storage.log.read('r1', 2, 10)).toEqual([]);
      expect(await storage.log.read('r1', 99, 10)).toEqual([]);
      expect(await storage.log.read('r2', 0, 10)).toEqual([]);
    });

    test('returns what was appended before it in the same turn', async ({ storage }) => {
      const run = await ownedRun(storage, 'r1');
      const appended = storage.log.append([toBatch(run, 0, 2)]);
      const log = await storage.log.read('r1', 0, 10);
      expect(log).toHaveLength(2);
      expect(await appended).toEqual(['appended']);
    });

    test('returns every event as it was stored, with any content', async ({ storage }) => {
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

    test('keeps the logs of runs apart', async ({ storage }) => {
      const first = await ownedRun(storage, 'r1');
      const second = await ownedRun(storage, 'r2');
      await storage.log.append([toBatch(first, 0, 2), toBatch(second, 0, 3)]);
      expect(await storage.log.read('r1', 0, 10)).toEqual(toBatch(first, 0, 2).events);
      expect(await storage.log.read('r2', 0, 10)).toEqual(toBatch(second, 0, 3).events);
    });
  });
}
