import { describe, expect, it } from '@jest/globals';
import { recorded, toBatch, toEnding } from '../../testing/storage/storage-samples.js';
import { toRounds } from './append-rounds.js';

const one = { id: 'r1', threadId: 't1', epoch: 1 };
const other = { id: 'r2', threadId: 't2', epoch: 1 };

/** Describes each round as `run:after-last`, with the batches in it. */
function describeRounds(batches: Parameters<typeof toRounds>[0]): string[][] {
  return toRounds(batches).map((round) =>
    round.map(
      ({ runId, afterSeq, lastSeq, places }) => `${runId}:${afterSeq}-${lastSeq} (${places.join(',')})`,
    ),
  );
}

describe('toRounds', () => {
  it('joins batches of a run that follow on from each other to one row', () => {
    const shape = describeRounds([
      toBatch(one, 0, 2),
      toBatch(other, 5),
      toBatch(one, 2, 3),
      toEnding(one, 5),
    ]);
    expect(shape).toEqual([['r1:0-6 (0,2,3)', 'r2:5-6 (1)']]);
    const [row] = toRounds([toBatch(one, 0, 2), toEnding(one, 2)]).flat();
    expect(row?.frames.split('\n')).toHaveLength(3);
    expect(row?.ending?.outcome).toBe('completed');
  });

  it('puts batches that do not follow on into later rounds, so that the fence sees them in order', () => {
    expect(describeRounds([toEnding(one, 0), toEnding(one, 0), toBatch(other, 0)])).toEqual([
      ['r1:0-1 (0)', 'r2:0-1 (2)'],
      ['r1:0-1 (1)'],
    ]);
    expect(describeRounds([toEnding(one, 0), toBatch(one, 1)])).toEqual([['r1:0-1 (0)'], ['r1:1-2 (1)']]);
    expect(describeRounds([toBatch(one, 0), toBatch({ ...one, epoch: 2 }, 1)])).toEqual([
      ['r1:0-1 (0)'],
      ['r1:1-2 (1)'],
    ]);
  });

  it('puts what is larger than a page into rows of their own, and the end into the last', () => {
    const events = Array.from({ length: 5 }, (_, index) =>
      recorded(one, index + 1, { type: 'custom', name: 'big', data: 'x'.repeat(50_000) }),
    );
    const large = { runId: 'r1', threadId: 't1', epoch: 1, afterSeq: 0, events };
    expect(describeRounds([large, toEnding(one, 5)])).toEqual([
      ['r1:0-2 (0)'],
      ['r1:2-4 (0)'],
      ['r1:4-6 (0,1)'],
    ]);
    const [first, ...others] = events.map((event, index) => ({ ...large, afterSeq: index, events: [event] }));
    expect(describeRounds([first!, ...others])).toEqual([['r1:0-2 (0,1)'], ['r1:2-4 (2,3)'], ['r1:4-5 (4)']]);
    const { ending } = toEnding(one, 0);
    const rows = toRounds([{ ...large, ...(ending && { ending }) }]).flat();
    expect(rows.map((row) => row.ending?.outcome)).toEqual([undefined, undefined, 'completed']);
    expect(rows.flatMap(({ frames }) => frames.split('\n'))).toHaveLength(5);
  });
});
