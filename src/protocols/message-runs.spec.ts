import { describe, expect, it } from '@jest/globals';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import { ALICE, begunRun, endRun } from '../testing/storage/storage-samples.js';
import { MessageRuns } from './message-runs.js';

describe('MessageRuns', () => {
  it('reads the newest runs of a thread, however large their records are', async () => {
    const storage = new MemoryStorage();
    for (let index = 0; index < 110; index += 1) {
      const run = { threadId: 't1', message: 'x'.repeat(20_000) };
      await endRun(storage, await begunRun(storage, `r${index}`, run));
    }
    const ids: string[] = [];
    const runs = new MessageRuns(storage.runs, storage.log);
    for await (const { id } of runs.readNewest(ALICE, 't1')) ids.push(id);
    expect(ids).toEqual(Array.from({ length: 100 }, (_, index) => `r${109 - index}`));
  });
});
