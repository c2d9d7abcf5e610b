import { describe, expect, it } from '@jest/globals';
import { BranchWalk, findLeaf, groupVersions, mapParents, selectBranch } from './branches.js';

/** Two turns; the second one again in other words; a third one after that; and a new beginning. */
const RUNS = [
  { id: 'one' },
  { id: 'two' },
  { id: 'two-again', parentId: 'one' },
  { id: 'three', parentId: 'two-again' },
  { id: 'new', parentId: null },
];

describe('branches of a thread', () => {
  it('selects the runs that the newest one continues', () => {
    expect(toIds(selectBranch(RUNS.slice(0, 4)))).toEqual(['one', 'two-again', 'three']);
    expect(toIds(selectBranch(RUNS))).toEqual(['new']);
    expect(selectBranch([])).toEqual([]);
  });

  it('selects another branch by its newest run', () => {
    expect(toIds(selectBranch(RUNS, 'two'))).toEqual(['one', 'two']);
    expect(selectBranch(RUNS, 'unknown')).toEqual([]);
  });

  it('ends a branch where the run that it continues is gone', () => {
    expect(toIds(selectBranch(RUNS.slice(3)))).toEqual(['new']);
    expect(toIds(selectBranch(RUNS.slice(3), 'three'))).toEqual(['three']);
  });

  it('finds the newest run below a run', () => {
    expect(findLeaf(RUNS, 'one')?.id).toBe('three');
    expect(findLeaf(RUNS, 'two')?.id).toBe('two');
    expect(findLeaf(RUNS, 'two-again')?.id).toBe('three');
    expect(findLeaf(RUNS, 'unknown')).toBeUndefined();
  });

  it('finds for each run the one that it continues', () => {
    const parents = [...mapParents(RUNS)].map(([id, parent]) => [id, parent.id]);
    expect(Object.fromEntries(parents)).toEqual({ two: 'one', 'two-again': 'one', three: 'two-again' });
  });

  it('groups the versions of a turn, the oldest first', () => {
    expect(Object.fromEntries(groupVersions(RUNS))).toEqual({
      one: ['one', 'new'],
      new: ['one', 'new'],
      two: ['two', 'two-again'],
      'two-again': ['two', 'two-again'],
    });
    expect(groupVersions(RUNS.slice(0, 2)).size).toBe(0);
  });

  it('tells whether other branches lie between a run and the one that it continues', () => {
    const walk = new BranchWalk();
    const steps = RUNS.slice(0, 4)
      .toReversed()
      .map((run) => [walk.takes(run), walk.hasPassedOthers]);
    expect(steps).toEqual([
      [true, false],
      [true, false],
      [false, false],
      [true, true],
    ]);
  });
});

function toIds(runs: readonly { readonly id: string }[]): string[] {
  return runs.map(({ id }) => id);
}
