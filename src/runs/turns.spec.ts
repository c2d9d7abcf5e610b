import { describe, expect, it } from '@jest/globals';
import { inTurn, mayBegin, RunningCounts, type OwnRuns } from './turns.js';

function ownRuns(atWork: number, isWaiting = false): OwnRuns {
  return { countAtWork: () => atWork, hasWaiting: () => isWaiting };
}

describe('mayBegin', () => {
  it('counts no runs when there is no limit per principal', () => {
    const fail = () => {
      throw new Error('It was counted.');
    };
    expect(mayBegin(undefined, { countAtWork: fail, hasWaiting: fail })).toBe(true);
  });

  it('lets a run begin while there is room and no run of the same principal waits', () => {
    expect(mayBegin(2, ownRuns(1))).toBe(true);
    expect(mayBegin(2, ownRuns(2))).toBe(false);
    expect(mayBegin(2, ownRuns(1, true))).toBe(false);
  });
});

describe('inTurn', () => {
  const turn = (tenant: string, userId: string, oldest: number) => ({ tenant, userId, oldest });

  it("orders users by their tenant's runs, then their own, then the age of the waiting run", () => {
    const atWork = new RunningCounts();
    for (const [tenant, userId] of [
      ['big', 'a'],
      ['big', 'a'],
      ['small', 'c'],
    ] as const)
      atWork.add({ tenant, userId });
    const waiting = [
      turn('big', 'a', 1),
      turn('big', 'b', 2),
      turn('small', 'c', 4),
      turn('idle', 'd', 9),
      turn('idle', 'e', 8),
    ];
    const order = inTurn(waiting, atWork).map(({ userId }) => userId);
    expect(order).toEqual(['e', 'd', 'c', 'b', 'a']);
  });

  it('leaves out users who have the maximum of running runs', () => {
    const atWork = new RunningCounts();
    atWork.add({ tenant: 't', userId: 'a' });
    expect(inTurn([turn('t', 'a', 1), turn('t', 'b', 2)], atWork, 1)).toEqual([turn('t', 'b', 2)]);
  });
});
