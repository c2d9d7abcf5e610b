import type { RunFilter } from '../../../runs/run-filter.js';
import type { NewRun } from '../../../runs/run.store.js';
import type { Storage } from '../../../storage/storage.js';
import type { ContractSuite, StorageHarness } from '../storage-harness.js';
import {
  ALICE,
  awaitingRun,
  approval,
  begunRun,
  BOB,
  newRun,
  OTHER_ALICE,
  toEnding,
  USAGE,
} from '../storage-samples.js';

/** Runs that the storages look at for one page. */
const MANY = 2_000;

export function findContract({ describe, test, expect }: ContractSuite): void {
  describe('lists of runs', () => {
    test('finds runs by owner, tenant, agent and status, newest or oldest first', async ({ storage }) => {
      await createSamples(storage);
      const find = (filter: RunFilter) => findIds(storage, filter);
      expect(await find({})).toEqual(['waits', 'stopped', 'other', 'failed', 'done', 'works']);
      expect(await find({ first: 'oldest' })).toEqual([
        'works',
        'done',
        'failed',
        'other',
        'stopped',
        'waits',
      ]);
      expect(await find({ tenant: 'acme', userId: 'alice' })).toEqual(['stopped', 'done', 'works']);
      expect(await find({ tenant: 'globex', userId: 'alice' })).toEqual(['other']);
      expect(await find({ tenant: 'acme' })).toEqual(['waits', 'stopped', 'failed', 'done', 'works']);
      expect(await find({ agent: 'writer' })).toEqual(['other', 'failed']);
      expect(await find({ tenant: 'acme', agent: 'writer' })).toEqual(['failed']);
      expect(await find({ status: ['running'] })).toEqual(['works']);
      expect(await find({ status: ['running', 'pending'], first: 'oldest' })).toEqual(['works', 'waits']);
      expect(await find({ status: ['pending'], tenant: 'globex' })).toEqual([]);
      expect(await find({ status: ['failed', 'awaiting-input'] })).toEqual(['stopped', 'failed']);
      expect(await find({ status: ['failed'], tenant: 'globex' })).toEqual([]);
      expect(await find({ status: ['completed', 'pending'] })).toEqual(['waits', 'other', 'done']);
      expect(await find({ status: ['completed'], tenant: 'acme', userId: 'bob' })).toEqual([]);
      expect(await find({ tenant: "acme' OR 1=1", userId: '\u0000' })).toEqual([]);
    });

    test('finds runs by the time of their creation', async ({ storage, advance }) => {
      const times: number[] = [];
      for (const id of ['r1', 'r2', 'r3']) {
        times.push((await begunRun(storage, id)).createdAt);
        await advance(1_000);
      }
      const find = (filter: RunFilter) => findIds(storage, filter);
      const [, second = 0, third = 0] = times;
      expect(await find({ since: second })).toEqual(['r3', 'r2']);
      expect(await find({ before: third })).toEqual(['r2', 'r1']);
      expect(await find({ since: second, before: third })).toEqual(['r2']);
      expect(await find({ since: second, first: 'oldest' })).toEqual(['r2', 'r3']);
      expect(await find({ before: second, first: 'oldest' })).toEqual(['r1']);
    });

    test('finds the dearest and the longest runs of everybody, of a tenant and of an owner', async ({
      storage,
      advance,
    }) => {
      // In the order of creation: cost unknown, 500, 70, 500, 9 and 0; and one that goes on.
      await endAt(storage, advance, { id: 'free', seconds: 1 });
      await endAt(storage, advance, { id: 'r500', seconds: 3, costMicros: 500 });
      await endAt(storage, advance, { id: 'r70', seconds: 2, costMicros: 70, principal: BOB });
      await endAt(storage, advance, { id: 'again', seconds: 4, costMicros: 500, agent: 'writer' });
      await endAt(storage, advance, { id: 'r9', seconds: 10, costMicros: 9, principal: OTHER_ALICE });
      await endAt(storage, advance, { id: 'nothing', seconds: 0, costMicros: 0 });
      await advance(1_000);
      const works = await begunRun(storage, 'works');
      const find = (filter: RunFilter) => findIds(storage, filter, 2);
      const [dearest, longest] = [{ first: 'dearest' }, { first: 'longest' }] as const;
      expect(await find(dearest)).toEqual(['again', 'r500', 'r70', 'r9', 'nothing']);
      expect(await find({ ...dearest, tenant: 'acme' })).toEqual(['again', 'r500', 'r70', 'nothing']);
      expect(await find({ ...dearest, tenant: 'acme', userId: 'alice' })).toEqual([
        'again',
        'r500',
        'nothing',
      ]);
      expect(await find({ ...dearest, tenant: 'globex', userId: 'alice' })).toEqual(['r9']);
      expect(await find({ ...dearest, agent: 'writer' })).toEqual(['again']);
      expect(await find({ ...dearest, status: ['failed'] })).toEqual([]);
      expect(await find(longest)).toEqual(['r9', 'again', 'r500', 'r70', 'free', 'nothing']);
      expect(await find({ ...longest, tenant: 'acme', userId: 'alice' })).toEqual([
        'again',
        'r500',
        'free',
        'nothing',
      ]);
      expect(await find({ ...longest, before: works.createdAt, status: ['completed'] })).toEqual(
        await find(longest),
      );
      expect(await find({ ...longest, since: works.createdAt })).toEqual([]);
    });

    test('goes on after a run of a figure, whatever is added meanwhile', async ({ storage, advance }) => {
      for (const [id, costMicros] of ['a', 'b', 'c'].map((each, index) => [each, 10 - index] as const))
        await endAt(storage, advance, { id, seconds: 1, costMicros });
      const page = await storage.runs.findRuns({ first: 'dearest' }, { limit: 1 });
      await endAt(storage, advance, { id: 'above', seconds: 1, costMicros: 10 });
      const rest = await storage.runs.findRuns(
        { first: 'dearest' },
        { limit: 5, cursor: page.nextCursor ?? '' },
      );
      expect([page, rest].map(({ items }) => items.map(({ id }) => id))).toEqual([['a'], ['b', 'c']]);
      expect(rest.nextCursor).toBeUndefined();
    });

    test('lists a run without what was said, and with the title of its thread', async ({ storage }) => {
      const run = await begunRun(storage, 'r1', {
        threadId: 'named',
        thread: 'any',
        message: 'Hello\nthere',
      });
      await storage.log.append([toEnding(run, 0)]);
      const [listed] = (await storage.runs.findRuns({}, { limit: 1 })).items;
      expect(listed).toMatchObject({ id: 'r1', threadId: 'named', agent: 'assistant', title: 'Hello' });
      expect(listed).toMatchObject({ principal: ALICE, status: 'completed', lastSeq: 1, usage: USAGE });
      expect(
        Object.keys(listed ?? {}).filter((key) => ['message', 'metadata', 'given'].includes(key)),
      ).toEqual([]);
    });

    test('returns each run once over pages, also while others are added', async ({ storage }) => {
      for (const id of ['r1', 'r2', 'r3', 'r4', 'r5']) await begunRun(storage, id);
      const first = await storage.runs.findRuns({}, { limit: 2 });
      await begunRun(storage, 'r6');
      expect(first.items.map(({ id }) => id)).toEqual(['r5', 'r4']);
      const cursor = first.nextCursor ?? '';
      const second = await storage.runs.findRuns({}, { limit: 3, cursor });
      expect(second.items.map(({ id }) => id)).toEqual(['r3', 'r2', 'r1']);
      expect(second.nextCursor).toBeUndefined();
      const oldest = await storage.runs.findRuns({ first: 'oldest' }, { limit: 5 });
      expect(oldest.items.map(({ id }) => id)).toEqual(['r1', 'r2', 'r3', 'r4', 'r5']);
      const rest = { limit: 5, cursor: oldest.nextCursor ?? '' };
      expect((await storage.runs.findRuns({ first: 'oldest' }, rest)).items.map(({ id }) => id)).toEqual([
        'r6',
      ]);
    });

    test('finds the one run among thousands that fits, over as many pages as it takes', async ({
      storage,
    }) => {
      await begunRun(storage, 'wanted', { agent: 'rare' });
      for (let place = 0; place < MANY + 10; place += 500) {
        const ids = Array.from({ length: 500 }, (_, index) => `r${place + index}`);
        await Promise.all(ids.map((id) => storage.runs.create(newRun(id, { threadId: id, thread: 'new' }))));
      }
      expect(await findIds(storage, { agent: 'rare' })).toEqual(['wanted']);
      expect(await findIds(storage, { agent: 'rare', first: 'oldest' })).toEqual(['wanted']);
      expect(await findIds(storage, { agent: 'none' })).toEqual([]);
    });

    test('counts the runs that have not ended', async ({ storage, advance }) => {
      expect(await storage.runs.countUnended()).toEqual({ pending: 0, running: 0 });
      await begunRun(storage, 'works');
      await storage.runs.create(newRun('waits', { threadId: 't1', whenBusy: 'queue' }));
      await advance(1_000);
      await storage.runs.create(newRun('waits too', { threadId: 't1', whenBusy: 'queue' }));
      const oldestPendingAt = (await storage.runs.get('waits'))?.createdAt;
      expect(await storage.runs.countUnended()).toEqual({ pending: 2, running: 1, oldestPendingAt });
    });
  });
}

async function createSamples(storage: Storage): Promise<void> {
  const agent = 'writer';
  await begunRun(storage, 'works');
  await storage.log.append([toEnding(await begunRun(storage, 'done'), 0)]);
  await storage.log.append([
    toEnding(await begunRun(storage, 'failed', { principal: BOB, agent }), 0, 'failed'),
  ]);
  await storage.log.append([
    toEnding(await begunRun(storage, 'other', { principal: OTHER_ALICE, agent }), 0),
  ]);
  await awaitingRun(storage, 'stopped', [approval('a1')]);
  await storage.runs.create(newRun('waits', { principal: BOB }));
}

/** Makes a run that ends after so many seconds. */
async function endAt(
  storage: Storage,
  advance: StorageHarness['advance'],
  {
    id,
    seconds,
    costMicros,
    ...differences
  }: Partial<NewRun> & { readonly id: string; readonly seconds: number; readonly costMicros?: number },
): Promise<void> {
  const run = await begunRun(storage, id, differences);
  if (seconds > 0) await advance(seconds * 1_000);
  const { ending, ...batch } = toEnding(run, 0);
  if (!ending) throw new Error('This batch closes no run.');
  const usage = { ...ending.usage, ...(costMicros !== undefined && { costMicros }) };
  await storage.log.append([{ ...batch, ending: { ...ending, usage } }]);
}

async function findIds(storage: Storage, filter: RunFilter, limit = 4): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await storage.runs.findRuns(filter, { limit, ...(cursor !== undefined && { cursor }) });
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return ids;
}
