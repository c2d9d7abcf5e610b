import type { Page, PageRequest } from '../../../runs/run.store.js';
import type { Storage } from '../../../storage/storage.js';
import type { PromiseSuite, StorageHarness } from '../storage.harness.js';
import { ALICE, newRun } from '../storage.samples.js';

export function pagePromises({ describe, promise, expect }: PromiseSuite): void {
  describe('pages', () => {
    promise(
      'hold all threads once, latest change first, also those that changed at the same moment',
      async (harness) => {
        const { storage } = harness;
        await createThreads(harness);
        const read = (page: PageRequest) => storage.runs.listThreads(ALICE, page);
        expect(await idsOf(read, 10)).toEqual([['t5', 't4', 't3', 't2', 't1']]);
        expect(await idsOf(read, 2)).toEqual([['t5', 't4'], ['t3', 't2'], ['t1']]);
        expect(await idsOf(read, 5)).toEqual([['t5', 't4', 't3', 't2', 't1']]);
      },
    );

    promise('hold all runs of a thread once, newest first', async ({ storage }) => {
      await createRuns(storage, ['r1', 'r2', 'r3']);
      const read = (page: PageRequest) => storage.runs.listRuns('t1', page);
      expect(await idsOf(read, 2)).toEqual([['r3', 'r2'], ['r1']]);
      expect(await idsOf(read, 3)).toEqual([['r3', 'r2', 'r1']]);
      expect(await storage.runs.listRuns('t2', { limit: 3 })).toEqual({ items: [] });
    });

    promise('neither skip nor repeat when something is added between them', async ({ storage, advance }) => {
      await createRuns(storage, ['r1', 'r2', 'r3']);
      const runs = await storage.runs.listRuns('t1', { limit: 2 });
      await createRuns(storage, ['r4', 'r5']);
      const moreRuns = await storage.runs.listRuns('t1', { limit: 2, ...cursorOf(runs) });
      expect(moreRuns.items.map(({ id }) => id)).toEqual(['r1']);

      await createThreads({ storage, advance });
      const threads = await storage.runs.listThreads(ALICE, { limit: 2 });
      await advance(1);
      await storage.runs.create(newRun('new', { threadId: 'new' }));
      const moreThreads = await storage.runs.listThreads(ALICE, { limit: 3, ...cursorOf(threads) });
      expect(moreThreads.items.map(({ id }) => id)).toEqual(['t3', 't2', 't1']);
    });

    promise('begin anew for a cursor that is none', async ({ storage }) => {
      await createRuns(storage, ['r1', 'r2']);
      for (const cursor of ['', 'nonsense', 'MS4yLjM', "1' OR 1=1", '\u0000', 'x'.repeat(10_000)]) {
        const runs = await storage.runs.listRuns('t1', { limit: 10, cursor });
        expect(runs.items.map(({ id }) => id)).toEqual(['r2', 'r1']);
        const threads = await storage.runs.listThreads(ALICE, { limit: 10, cursor });
        expect(threads.items.map(({ id }) => id)).toEqual(['t1']);
      }
    });
  });
}

/** t1 and t2 at one moment, t3 to t5 at a later one. */
async function createThreads({
  storage,
  advance,
}: Pick<StorageHarness, 'storage' | 'advance'>): Promise<void> {
  for (const number of [1, 2, 3, 4, 5]) {
    if (number === 3) await advance(10);
    await storage.runs.create(newRun(`r-${number}`, { threadId: `t${number}` }));
  }
}

async function createRuns(storage: Storage, ids: readonly string[]): Promise<void> {
  for (const id of ids) await storage.runs.create(newRun(id, { threadId: 't1', whenBusy: 'queue' }));
}

/** The ids page by page. */
async function idsOf(
  read: (page: PageRequest) => Promise<Page<{ readonly id: string }>>,
  limit: number,
): Promise<string[][]> {
  const pages: string[][] = [];
  let page: PageRequest = { limit };
  for (;;) {
    const { items, nextCursor } = await read(page);
    pages.push(items.map(({ id }) => id));
    if (nextCursor === undefined) return pages;
    page = { limit, cursor: nextCursor };
  }
}

function cursorOf({ nextCursor }: Page<unknown>): { cursor: string } {
  if (nextCursor === undefined) throw new Error('There is another page.');
  return { cursor: nextCursor };
}
