import type { Page, PageRequest } from '../../../runs/run.store.js';
import type { Storage } from '../../../storage/storage.js';
import type { ContractSuite, StorageHarness } from '../storage-harness.js';
import { ALICE, newRun } from '../storage-samples.js';

export function pageContract({ describe, test, expect }: ContractSuite): void {
  describe('pages', () => {
    test('returns each thread once, latest change first, even with equal times of change', async (harness) => {
      const { storage } = harness;
      await createThreads(harness);
      const read = (page: PageRequest) => storage.runs.listThreads(ALICE, page);
      expect(await listIds(read, 10)).toEqual([['t5', 't4', 't3', 't2', 't1']]);
      expect(await listIds(read, 2)).toEqual([['t5', 't4'], ['t3', 't2'], ['t1']]);
      expect(await listIds(read, 5)).toEqual([['t5', 't4', 't3', 't2', 't1']]);
    });

    test('returns each run of a thread once, newest first', async ({ storage }) => {
      await createRuns(storage, ['r1', 'r2', 'r3']);
      const read = (page: PageRequest) => storage.runs.listRuns(ALICE, 't1', page);
      expect(await listIds(read, 2)).toEqual([['r3', 'r2'], ['r1']]);
      expect(await listIds(read, 3)).toEqual([['r3', 'r2', 'r1']]);
      expect(await storage.runs.listRuns(ALICE, 't2', { limit: 3 })).toEqual({ items: [] });
    });

    test('ends a page before it is too large, with at least one item on it', async ({ storage }) => {
      const message = 'x'.repeat(250_000);
      const ids = Array.from({ length: 9 }, (_, index) => `r${index + 1}`);
      for (const id of ids)
        await storage.runs.create(newRun(id, { threadId: 't1', whenBusy: 'queue', message }));
      await storage.runs.create(
        newRun('large', { threadId: 't1', whenBusy: 'queue', message: message.repeat(8) }),
      );
      const pages = await listIds((page) => storage.runs.listRuns(ALICE, 't1', page), 100);
      expect(pages.flat()).toEqual(['large', ...ids.toReversed()]);
      expect(pages[0]).toEqual(['large']);
      expect(pages.every((page) => page.length <= 4)).toBe(true);
    });

    test('neither skips nor repeats items when others are added between two pages', async ({
      storage,
      advance,
    }) => {
      await createRuns(storage, ['r1', 'r2', 'r3']);
      const runs = await storage.runs.listRuns(ALICE, 't1', { limit: 2 });
      await createRuns(storage, ['r4', 'r5']);
      const moreRuns = await storage.runs.listRuns(ALICE, 't1', { limit: 2, ...toCursor(runs) });
      expect(moreRuns.items.map(({ id }) => id)).toEqual(['r1']);

      await createThreads({ storage, advance });
      const threads = await storage.runs.listThreads(ALICE, { limit: 2 });
      await advance(1);
      await storage.runs.create(newRun('new', { threadId: 'new' }));
      const moreThreads = await storage.runs.listThreads(ALICE, { limit: 3, ...toCursor(threads) });
      expect(moreThreads.items.map(({ id }) => id)).toEqual(['t3', 't2', 't1']);
    });

    test('starts from the first page for an invalid cursor', async ({ storage }) => {
      await createRuns(storage, ['r1', 'r2']);
      for (const cursor of ['', 'nonsense', 'MS4yLjM', "1' OR 1=1", '\u0000', 'x'.repeat(10_000)]) {
        const runs = await storage.runs.listRuns(ALICE, 't1', { limit: 10, cursor });
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
async function listIds(
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

function toCursor({ nextCursor }: Page<unknown>): { cursor: string } {
  if (nextCursor === undefined) throw new Error('There is another page.');
  return { cursor: nextCursor };
}
