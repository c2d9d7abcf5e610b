import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import type { Storage } from '../storage/storage.js';
import { ALICE, begunRun, endRun } from '../testing/storage/storage-samples.js';
import { BranchPages } from './branch-pages.js';
import type { PageRequest } from './run.store.js';

describe('BranchPages', () => {
  let storage: Storage;

  beforeEach(() => {
    storage = new MemoryStorage();
  });

  const end = async (id: string, differences: object = {}) =>
    endRun(storage, await begunRun(storage, id, { threadId: 't1', ...differences }));

  const read = async (page: PageRequest & { readonly through?: string }) => {
    const thread = await storage.runs.getThread(ALICE, 't1');
    if (!thread) throw new Error('There is no thread.');
    const { items, nextCursor } = await new BranchPages(storage.runs).read(ALICE, thread, page);
    return { ids: items.map(({ id }) => id), ...(nextCursor && { cursor: nextCursor }) };
  };

  /** Four runs, and `other` after the first. */
  const createBranches = async () => {
    for (const id of ['r1', 'r2', 'r3', 'r4']) await end(id);
    await end('other', { parentId: 'r1' });
  };

  it('reads a page of the newest branch, or of the one of a run', async () => {
    await createBranches();
    expect(await read({ limit: 10 })).toEqual({ ids: ['other', 'r1'] });
    expect(await read({ limit: 10, through: 'r2' })).toEqual({ ids: ['r4', 'r3', 'r2', 'r1'] });
  });

  it('goes on in its branch when another one has become the newest', async () => {
    await createBranches();
    await end('r5', { parentId: 'r4' });
    const { ids, cursor = '' } = await read({ limit: 2 });
    expect(ids).toEqual(['r5', 'r4']);
    await end('newest', { parentId: 'r1' });
    expect(await read({ limit: 10, cursor })).toEqual({ ids: ['r3', 'r2', 'r1'] });
  });

  it('goes on with a page of a thread that has had branches only since', async () => {
    for (const id of ['r1', 'r2', 'r3']) await end(id);
    const { ids, cursor = '' } = await read({ limit: 1 });
    expect(ids).toEqual(['r3']);
    await end('other', { parentId: 'r1' });
    expect(await read({ limit: 10, cursor })).toEqual({ ids: ['r2', 'r1'] });
  });

  it('reads only the records of its page', async () => {
    await createBranches();
    const records = jest.spyOn(storage.runs, 'get');
    const lists = jest.spyOn(storage.runs, 'listRuns');
    await read({ limit: 1, through: 'r4' });
    expect(records.mock.calls).toEqual([['r4']]);
    expect(lists).not.toHaveBeenCalled();
  });

  it('ends a page before its records are large', async () => {
    for (let index = 0; index < 12; index += 1) await end(`r${index}`, { message: 'x'.repeat(200_000) });
    await end('other', { parentId: 'r10' });
    const { ids, cursor = '' } = await read({ limit: 100, through: 'r11' });
    expect(ids).toEqual(['r11', 'r10', 'r9', 'r8']);
    expect((await read({ limit: 2, cursor })).ids).toEqual(['r7', 'r6']);
  });
});
