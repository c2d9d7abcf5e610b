import { describe, expect, it } from '@jest/globals';
import { batchOf } from '../../testing/storage/storage.samples.js';
import { KnownTails } from './known.tails.js';

const run = { id: 'r1', threadId: 't1', epoch: 7 };

describe('KnownTails', () => {
  it('know how far an owner has appended, and nothing of what was refused', () => {
    const tails = new KnownTails();
    tails.note([batchOf(run, 0, 3), batchOf(run, 3, 2), batchOf(run, 5)], ['appended', 'appended', 'fenced']);
    expect(tails.of({ runId: 'r1', epoch: 7 })).toBe(5);
    expect(tails.of({ runId: 'r2', epoch: 7 })).toBe(0);
  });

  it('ask nothing of the next owner, who begins where the log ends that it was given', () => {
    const tails = new KnownTails();
    tails.note([batchOf(run, 0, 50)], ['appended']);
    expect(tails.of({ runId: 'r1', epoch: 8 })).toBe(0);
    tails.note([batchOf({ ...run, epoch: 8 }, 30)], ['appended']);
    expect(tails.of({ runId: 'r1', epoch: 8 })).toBe(31);
  });

  it('forget the runs that nothing was appended to for longest', () => {
    const tails = new KnownTails();
    const note = (id: string, afterSeq: number) =>
      tails.note([batchOf({ ...run, id }, afterSeq)], ['appended']);
    note('old', 0);
    note('active', 0);
    for (let index = 0; index < 9_998; index += 1) note(`r${index}`, 0);
    note('active', 1);
    note('one more', 0);
    expect(tails.of({ runId: 'old', epoch: 7 })).toBe(0);
    expect(tails.of({ runId: 'active', epoch: 7 })).toBe(2);
  });
});
