import type { ThreadListRequest } from '../../../runs/run.store.js';
import type { ContractSuite } from '../storage-harness.js';
import {
  ALICE,
  approval,
  awaitingRun,
  BOB,
  OTHER_ALICE,
  claimRun,
  endRun,
  newRun,
  ownedRun,
} from '../storage-samples.js';

export function threadContract({ describe, test, expect }: ContractSuite): void {
  describe('threads', () => {
    test('creates a thread with its first run and titles it with the first line of the message', async ({
      storage,
    }) => {
      const message = '  How tall is it?\nAnd how old?';
      const run = await ownedRun(storage, 'r1', { threadId: 't1', message });
      expect(await storage.runs.getThread(ALICE, 't1')).toEqual({
        id: 't1',
        owner: { userId: ALICE.userId, tenant: ALICE.tenant },
        title: 'How tall is it?',
        createdAt: run.createdAt,
        updatedAt: run.createdAt,
        activeRunId: 'r1',
      });
      expect(await storage.runs.getThread(ALICE, 't2')).toBeUndefined();
    });

    test('stores a thread before its first run, which then titles it', async ({ storage }) => {
      const owner = { userId: ALICE.userId, tenant: ALICE.tenant };
      const draft = { id: 't1', owner, key: 'k1', metadata: { color: 'red', size: 1 } };
      const created = await storage.runs.createThread(draft);
      expect(created).toMatchObject({ outcome: 'created', thread: { id: 't1', owner, title: '' } });
      expect(await storage.runs.getThread(ALICE, 't1')).toEqual(created.thread);
      expect(created.thread.metadata).toEqual({ color: 'red', size: 1 });
      const again = await storage.runs.createThread({ id: 't1', owner, key: 'k2' });
      expect(again).toEqual({ outcome: 'existing', thread: created.thread });
      const others = await storage.runs.createThread({ id: 't1', owner: BOB, key: 'k3' });
      expect(others).toMatchObject({ outcome: 'created', thread: { owner: { userId: BOB.userId } } });
      expect('metadata' in others.thread).toBe(false);

      const run = await ownedRun(storage, 'r1', { threadId: 't1', message: 'first' });
      expect(run.threadKey).toBe('k1');
      expect(await storage.runs.getThread(ALICE, 't1')).toMatchObject({ title: 'first', activeRunId: 'r1' });
    });

    test('changes the title and the metadata of a thread for its owner only', async ({ storage }) => {
      await storage.runs.create(newRun('r1', { threadId: 't1', message: 'first' }));
      const before = await storage.runs.getThread(ALICE, 't1');
      await storage.runs.changeThread(ALICE, 't1', { metadata: { a: 1, b: { c: 2 } } });
      const changed = await storage.runs.changeThread(ALICE, 't1', { title: 'Two', metadata: { a: 3 } });
      expect(changed).toEqual({ ...before, title: 'Two', metadata: { a: 3, b: { c: 2 } } });
      expect(await storage.runs.getThread(ALICE, 't1')).toEqual(changed);
      expect(await storage.runs.changeThread(ALICE, 't1', {})).toEqual(changed);
      for (const other of [BOB, OTHER_ALICE])
        expect(await storage.runs.changeThread(other, 't1', { title: 'Mine' })).toBeUndefined();
      expect(await storage.runs.changeThread(ALICE, 't2', { title: 'None' })).toBeUndefined();
    });

    test('changes a title only if it is still the one that the change names', async ({ storage }) => {
      await storage.runs.create(newRun('r1', { threadId: 't1', message: 'first\u0000' }));
      const change = (title: string, titleBefore: string) =>
        storage.runs.changeThread(ALICE, 't1', { title, titleBefore, pinned: true });
      expect(await change('Mine', 'other')).toMatchObject({ title: 'first\u0000', pinned: true });
      expect(await change('Mine', 'first\u0000')).toMatchObject({ title: 'Mine' });
      expect(await change('Yours', 'first\u0000')).toMatchObject({ title: 'Mine' });
      expect(await storage.runs.getThread(ALICE, 't1')).toMatchObject({ title: 'Mine' });
    });

    test('keeps the title of a thread when more runs follow', async ({ storage }) => {
      await endRun(storage, await ownedRun(storage, 'r1', { threadId: 't1', message: 'first' }));
      await storage.runs.create(newRun('r2', { threadId: 't1', message: 'second' }));
      expect(await storage.runs.getThread(ALICE, 't1')).toMatchObject({ title: 'first', activeRunId: 'r2' });
    });

    test('names the oldest run that has not ended as the active one of its thread', async ({ storage }) => {
      const first = await ownedRun(storage, 'r1', { threadId: 't1' });
      await storage.runs.create(newRun('r2', { threadId: 't1', whenBusy: 'queue' }));
      expect((await storage.runs.getThread(ALICE, 't1'))?.activeRunId).toBe('r1');
      await endRun(storage, first);
      expect((await storage.runs.getThread(ALICE, 't1'))?.activeRunId).toBe('r2');
    });

    test('changes a thread when a run is created and when it ends, but not in between', async ({
      storage,
      advance,
    }) => {
      const updatedAt = async () => (await storage.runs.getThread(ALICE, 't1'))?.updatedAt ?? 0;
      await storage.runs.create(newRun('r1', { threadId: 't1' }));
      const created = await updatedAt();
      await advance(10);
      const run = await claimRun(storage);
      expect(await updatedAt()).toBe(created);
      if (run) await endRun(storage, run);
      expect(await updatedAt()).toBe(created + 10);
      await advance(10);
      await storage.runs.create(newRun('r2', { threadId: 't1' }));
      expect(await updatedAt()).toBe(created + 20);
    });

    test('notes what owners change on their thread, and leaves its time and the threads of others as they are', async ({
      storage,
      advance,
    }) => {
      await endRun(storage, await ownedRun(storage, 'r1', { threadId: 't1', message: 'first' }));
      await storage.runs.create(newRun('r2', { threadId: 't1', principal: BOB, message: 'other' }));
      const before = await storage.runs.getThread(ALICE, 't1');
      await advance(10);
      const change = { title: 'Second\u0000 name', pinned: true, archived: true };
      const changed = await storage.runs.changeThread(ALICE, 't1', change);
      expect(changed).toEqual({ ...before, ...change });
      expect(await storage.runs.getThread(ALICE, 't1')).toEqual(changed);
      expect(await storage.runs.getThread(BOB, 't1')).toMatchObject({ title: 'other' });
      expect(await storage.runs.changeThread(OTHER_ALICE, 't1', { pinned: true })).toBeUndefined();

      const back = await storage.runs.changeThread(ALICE, 't1', { pinned: false, archived: false });
      expect(back).toEqual({ ...before, title: 'Second\u0000 name' });
      await storage.runs.changeThread(ALICE, 't1', { archived: true });
      await storage.runs.create(newRun('r3', { threadId: 't1' }));
      // Who writes in it has it back.
      expect((await storage.runs.getThread(ALICE, 't1'))?.archived).toBeUndefined();
    });

    test('shows a thread as unread from the end of a run until its owner reads or asks', async ({
      storage,
      advance,
    }) => {
      const read = async () => (await storage.runs.getThread(ALICE, 't1'))?.unread ?? false;
      const run = await ownedRun(storage, 'r1', { threadId: 't1' });
      expect(await read()).toBe(false);
      await advance(10);
      await endRun(storage, run);
      expect(await read()).toBe(true);
      await storage.runs.changeThread(ALICE, 't1', { read: true });
      expect(await read()).toBe(false);
      const next = await ownedRun(storage, 'r2', { threadId: 't1' });
      await advance(10);
      await endRun(storage, next);
      expect(await read()).toBe(true);
      await storage.runs.create(newRun('r3', { threadId: 't1' }));
      expect(await read()).toBe(false);
    });

    test('lists pinned, archived and waiting threads apart', async ({ storage }) => {
      for (const id of ['1', '2', '3', '4']) {
        if (id === '3') await awaitingRun(storage, `r${id}`, [approval('i1')], { threadId: `t${id}` });
        else await endRun(storage, await ownedRun(storage, `r${id}`, { threadId: `t${id}` }));
      }
      await storage.runs.changeThread(ALICE, 't1', { pinned: true });
      await storage.runs.changeThread(ALICE, 't2', { archived: true });
      const list = async (filter: Partial<ThreadListRequest>) => {
        const { items } = await storage.runs.listThreads(ALICE, { limit: 10, ...filter });
        return items.map(({ id }) => id).toSorted();
      };
      expect(await list({})).toEqual(['t1', 't2', 't3', 't4']);
      expect(await list({ archived: false })).toEqual(['t1', 't3', 't4']);
      expect(await list({ archived: true })).toEqual(['t2']);
      expect(await list({ pinned: true })).toEqual(['t1']);
      expect(await list({ pinned: false, archived: false })).toEqual(['t3', 't4']);
      expect(await list({ waiting: true })).toEqual(['t3']);
      await storage.runs.create(newRun('r5', { threadId: 't3', whenAwaiting: 'deny' }));
      expect(await list({ waiting: true })).toEqual([]);
    });

    test('lists threads to their owner only', async ({ storage }) => {
      await storage.runs.create(newRun('r1', { threadId: 't1' }));
      await storage.runs.create(newRun('r2', { threadId: 't2', principal: BOB }));
      const ids = async (owner: typeof ALICE) =>
        (await storage.runs.listThreads(owner, { limit: 10 })).items.map(({ id }) => id);
      expect(await ids(ALICE)).toEqual(['t1']);
      expect(await ids({ ...BOB, roles: [] })).toEqual(['t2']);
      expect(await ids({ ...OTHER_ALICE, roles: [] })).toEqual([]);
    });
  });
}
