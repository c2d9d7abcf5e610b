import { describe, expect, it } from '@jest/globals';
import { batchOf, endingOf } from '../../testing/storage/storage.samples.js';
import { roundsOf } from './append.rounds.js';

const one = { id: 'r1', threadId: 't1', epoch: 1 };
const other = { id: 'r2', threadId: 't2', epoch: 1 };

/** What is in each round, as `run:after-last`, and which batches that is. */
function shapeOf(batches: Parameters<typeof roundsOf>[0]): string[][] {
  return roundsOf(batches).map((round) =>
    round.map(
      ({ runId, afterSeq, lastSeq, places }) => `${runId}:${afterSeq}-${lastSeq} (${places.join(',')})`,
    ),
  );
}

describe('roundsOf', () => {
  it('makes one row of batches of a run that follow on from each other', () => {
    const shape = shapeOf([batchOf(one, 0, 2), batchOf(other, 5), batchOf(one, 2, 3), endingOf(one, 5)]);
    expect(shape).toEqual([['r1:0-6 (0,2,3)', 'r2:5-6 (1)']]);
    const [row] = roundsOf([batchOf(one, 0, 2), endingOf(one, 2)]).flat();
    expect(row?.frames.split('\n')).toHaveLength(3);
    expect(row?.ending?.outcome).toBe('completed');
  });

  it('leaves to a later round what does not fit, so that the fence sees one after the other', () => {
    expect(shapeOf([endingOf(one, 0), endingOf(one, 0), batchOf(other, 0)])).toEqual([
      ['r1:0-1 (0)', 'r2:0-1 (2)'],
      ['r1:0-1 (1)'],
    ]);
    expect(shapeOf([endingOf(one, 0), batchOf(one, 1)])).toEqual([['r1:0-1 (0)'], ['r1:1-2 (1)']]);
    expect(shapeOf([batchOf(one, 0), batchOf({ ...one, epoch: 2 }, 1)])).toEqual([
      ['r1:0-1 (0)'],
      ['r1:1-2 (1)'],
    ]);
  });
});
