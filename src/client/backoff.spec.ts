import { describe, expect, it } from '@jest/globals';
import { backoffMs } from './backoff.js';

const backoff = { baseMs: 500, maxMs: 30_000 };

describe('backoffMs', () => {
  it.each([
    [1, 500],
    [2, 1000],
    [6, 16_000],
    [7, 30_000],
    [5000, 30_000],
  ])('waits after failure %i at most %i ms and at least half of that', (failures, most) => {
    expect(backoffMs(failures, backoff, 0.999999)).toBe(most);
    expect(backoffMs(failures, backoff, 0)).toBe(most / 2);
  });
});
