import { describe, expect, it } from '@jest/globals';
import { toBatch } from '../../testing/storage/storage-samples.js';
import { TailCache } from './tail.cache.js';

const run = { id: 'r1', threadId: 't1', epoch: 7 };

describe('TailCache', () => {
  it('knows how far an owner has appended, without refused batches', () => {
    const tails = new TailCache();
    tails.note([toBatch(run, 0, 3), toBatch(run, 3, 2), toBatch(run, 5)], ['appended', 'appended', 'fenced']);
    expect(tails.get({ runId: 'r1', epoch: 7 })).toBe(5);
    expect(tails.get({ runId: 'r2', epoch: 7 })).toBe(0);
  });

  it('keeps the tails of different owners of a run apart', () => {
    const tails = new TailCache();
    tails.note([toBatch(run, 0, 50)], ['appended']);
    expect(tails.get({ runId: 'r1', epoch: 8 })).toBe(0);
    tails.note([toBatch({ ...run, epoch: 8 }, 30)], ['appended']);
    expect(tails.get({ runId: 'r1', epoch: 8 })).toBe(31);
  });

  it('forgets the runs that were appended to least recently', () => {
    const tails = new TailCache();
    const note = (id: string, afterSeq: number) =>
      tails.note([toBatch({ ...run, id }, afterSeq)], ['appended']);
    note('old', 0);
    note('active', 0);
    for (let index = 0; index < 9_998; index += 1) note(`r${index}`, 0);
    note('active', 1);
    note('one more', 0);
    expect(tails.get({ runId: 'old', epoch: 7 })).toBe(0);
    expect(tails.get({ runId: 'active', epoch: 7 })).toBe(2);
  });
});
