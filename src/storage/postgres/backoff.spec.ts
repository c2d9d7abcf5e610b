import { describe, expect, it } from '@jest/globals';
import { backoffMs } from './backoff.js';

describe('backoffMs', () => {
  it('doubles the wait up to a second and stays there', () => {
    const most = [0, 1, 2, 3, 5, 6, 50].map((attempt) => backoffMs(attempt, () => 1));
    expect(most).toEqual([25, 50, 100, 200, 800, 1_000, 1_000]);
  });

  it('spreads retries over half of the delay', () => {
    expect(backoffMs(3, () => 0)).toBe(100);
    expect(backoffMs(3, () => 0.5)).toBe(150);
  });
});
