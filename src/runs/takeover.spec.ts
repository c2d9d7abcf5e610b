import { describe, expect, it } from '@jest/globals';
import { countDeaths, isAbandoned } from './takeover.js';

const RUN = { id: 'r1', leaseUntil: 100, deaths: 1, isHeld: true };

describe('countDeaths', () => {
  it('counts the death of an owner that still holds a run, and of none that has given it back', () => {
    expect(countDeaths(RUN)).toBe(2);
    expect(countDeaths({ ...RUN, isHeld: false })).toBe(1);
  });
});

describe('isAbandoned', () => {
  it('takes a run as abandoned once its lease has expired', () => {
    expect(isAbandoned(RUN, { now: 99 })).toBe(false);
    expect(isAbandoned(RUN, { now: 100 })).toBe(true);
  });

  it('does not take a run as abandoned that the claiming process works on', () => {
    expect(isAbandoned(RUN, { now: 200, inHand: ['r1'] })).toBe(false);
    expect(isAbandoned(RUN, { now: 200, inHand: ['r2'] })).toBe(true);
  });

  it('does not take a run as abandoned whose deaths would reach the number that the claim excepts', () => {
    expect(isAbandoned(RUN, { now: 200, exceptDeaths: 2 })).toBe(false);
    expect(isAbandoned({ ...RUN, isHeld: false }, { now: 200, exceptDeaths: 2 })).toBe(true);
  });
});
