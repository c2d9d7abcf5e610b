import type { FeedbackRequest, GivenFeedback } from '../../../runs/feedback.js';
import type { Storage } from '../../../storage/storage.js';
import type { ContractSuite } from '../storage-harness.js';
import { ALICE, begunRun, BOB, endRun, newRun, OTHER_ALICE, ownedRun } from '../storage-samples.js';

const UP: GivenFeedback = { rating: 'up' };
const DOWN: GivenFeedback = { rating: 'down', comment: 'It is \u0000 "wrong" 😀\ud800' };

export function feedbackContract({ describe, test, expect }: ContractSuite): void {
  describe('feedback', () => {
    test('is kept with a run, changed, and removed', async ({ storage, advance }) => {
      const { runs } = storage;
      await endRun(storage, await ownedRun(storage, 'r1'));
      const before = await runs.get('r1');
      expect(before && 'feedback' in before).toBe(false);
      const given = await runs.setFeedback('r1', DOWN);
      expect(given).toEqual({ ...before, feedback: { ...DOWN, at: given?.feedback?.at } });
      expect(await runs.get('r1')).toEqual(given);
      const { items } = await runs.listRuns(ALICE, given?.threadId ?? '', { limit: 1 });
      expect(items).toEqual([given]);
      expect((await runs.findRuns({}, { limit: 1 })).items).toMatchObject([{ feedback: given?.feedback }]);

      await advance(1_000);
      const changed = await runs.setFeedback('r1', UP);
      expect(changed?.feedback).toEqual({ ...UP, at: changed?.feedback?.at });
      expect((changed?.feedback?.at ?? 0) > (given?.feedback?.at ?? Infinity)).toBe(true);
      expect(await runs.setFeedback('r1', undefined)).toEqual(before);
      expect(await runs.setFeedback('r1', undefined)).toEqual(before);
      expect((await runs.listFeedback({ limit: 10 })).items).toEqual([]);
    });

    test('is given while the run is at work, and stays when it ends', async ({ storage }) => {
      const { runs } = storage;
      const run = await ownedRun(storage, 'r1');
      await runs.setFeedback('r1', UP);
      await endRun(storage, run);
      expect(await runs.get('r1')).toMatchObject({ status: 'completed', feedback: UP });
    });

    test('leaves the time of the thread as it was, so that no list moves', async ({ storage, advance }) => {
      const { runs } = storage;
      const { threadId } = await begunRun(storage, 'r1');
      const before = await runs.getThread(ALICE, threadId);
      await advance(1_000);
      await runs.setFeedback('r1', UP);
      expect(await runs.getThread(ALICE, threadId)).toEqual(before);
    });

    test('of no run is none', async ({ storage }) => {
      expect(await storage.runs.setFeedback('r1', UP)).toBeUndefined();
      expect(await storage.runs.setFeedback('\u0000', UP)).toBeUndefined();
    });

    test('is listed in the order of its last change, by tenant and time, page by page', async ({
      storage,
      advance,
    }) => {
      const { runs } = storage;
      await begunRun(storage, 'r1');
      await runs.create(newRun('r2', { principal: BOB, agent: 'writer', message: 'Secret.' }));
      await runs.create(newRun('r3', { principal: OTHER_ALICE }));
      await runs.create(newRun('r4', { threadId: 't4' }));
      for (const id of ['r2', 'r1', 'r3']) {
        await runs.setFeedback(id, id === 'r2' ? DOWN : UP);
        await advance(1_000);
      }
      const find = (page: Partial<FeedbackRequest> = {}) => findIds(storage, { limit: 10, ...page });
      expect(await find()).toEqual(['r2', 'r1', 'r3']);
      expect(await find({ tenant: 'acme' })).toEqual(['r2', 'r1']);
      expect(await find({ tenant: 'globex' })).toEqual(['r3']);
      expect(await find({ tenant: "acme' OR 1=1\u0000" })).toEqual([]);
      const { items } = await runs.listFeedback({ limit: 10 });
      const [first, second, third] = items.map(({ feedback }) => feedback?.at ?? 0);
      expect(items[0]).toMatchObject({ id: 'r2', agent: 'writer', title: 'Secret.', feedback: DOWN });
      expect('message' in (items[0] ?? {})).toBe(false);
      expect(await find({ since: second })).toEqual(['r1', 'r3']);
      expect(await find({ since: second, before: third, tenant: 'acme' })).toEqual(['r1']);
      expect(await find({ before: first })).toEqual([]);

      const pages: string[][] = [];
      for (let cursor: string | undefined; ;) {
        const page = await runs.listFeedback({ limit: 2, ...(cursor !== undefined && { cursor }) });
        pages.push(page.items.map(({ id }) => id));
        cursor = page.nextCursor;
        if (cursor === undefined) break;
      }
      expect(pages).toEqual([['r2', 'r1'], ['r3']]);

      // A change takes a new place, so that a reader who goes on meets it.
      await runs.setFeedback('r2', UP);
      expect(await find()).toEqual(['r1', 'r3', 'r2']);
    });

    test('is deleted with the thread', async ({ storage }) => {
      const { runs } = storage;
      const { threadId } = await begunRun(storage, 'r1');
      await runs.setFeedback('r1', DOWN);
      await runs.deleteThread(ALICE, threadId);
      expect(await runs.setFeedback('r1', UP)).toBeUndefined();
      expect((await runs.listFeedback({ limit: 10 })).items).toEqual([]);
    });
  });
}

async function findIds(storage: Storage, page: FeedbackRequest): Promise<string[]> {
  return (await storage.runs.listFeedback(page)).items.map(({ id }) => id);
}
