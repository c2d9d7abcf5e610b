import { describe, expect, it } from '@jest/globals';
import { addUsage, normalizeUsage } from './usage.js';

describe('normalizeUsage and addUsage', () => {
  it.each([
    [{}, { inputTokens: 0, outputTokens: 0, totalTokens: 0 }],
    [
      { inputTokens: null, outputTokens: Number.NaN, totalTokens: undefined, reasoningTokens: null },
      { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
    ],
    [
      { inputTokens: 5, outputTokens: 7.4, totalTokens: null, cachedInputTokens: Infinity },
      { inputTokens: 5, outputTokens: 7, totalTokens: 12 },
    ],
    [
      { inputTokens: -1, outputTokens: '3', totalTokens: 9, cachedInputTokens: 0 },
      { inputTokens: 0, outputTokens: 0, totalTokens: 9, cachedInputTokens: 0 },
    ],
  ])('turns the token counts %j into whole numbers or leaves them out', (counted, usage) => {
    expect(normalizeUsage(counted)).toEqual(usage);
    expect(Object.values(normalizeUsage(counted)).every(Number.isInteger)).toBe(true);
  });

  it('adds up each token count and leaves out counts that were never reported', () => {
    const one = { inputTokens: 10, outputTokens: 5, totalTokens: 15, cachedInputTokens: 8 };
    const other = { inputTokens: 20, outputTokens: 5, totalTokens: 25, reasoningTokens: 4 };
    expect(addUsage(addUsage(undefined, one), other)).toEqual({
      inputTokens: 30,
      outputTokens: 10,
      totalTokens: 40,
      cachedInputTokens: 8,
      reasoningTokens: 4,
    });
    expect(addUsage(undefined, one)).not.toHaveProperty('cacheWriteInputTokens');
  });
});
