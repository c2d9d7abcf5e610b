import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { UsageReport } from '../events/run-event.js';
import { addUsage } from '../events/usage.js';
import { Prices, validatePrices } from './prices.js';

const report = (model: string, counts: Partial<UsageReport> = {}): UsageReport => ({
  type: 'usage',
  inputTokens: 1_000,
  outputTokens: 100,
  totalTokens: 1_100,
  model,
  ...counts,
});

const prices = new Prices({
  models: {
    mini: { input: 0.4, output: 1.6 },
    'mini-cached': { input: '0.4', cachedInput: 0.1, cacheWriteInput: 0.5, output: 1.6, reasoning: 3.2 },
    painter: { input: 1, imageInput: 10, output: 2, imageOutput: 40 },
    'gpt-*': { input: 1, output: 1 },
    'gpt-4*': { input: 2, output: 2 },
    tiny: { input: '0.000001', output: '0.000001' },
  },
});
const cost = (model: string, counts?: Partial<UsageReport>) =>
  prices.charge(report(model, counts)).costMicros;

describe('Prices', () => {
  it('charges input and output in millionths of the currency', () => {
    // 1,000 tokens at 0.4 for a million, and 100 at 1.6.
    expect(cost('mini')).toBe(400 + 160);
    expect(cost('mini', { inputTokens: 0, outputTokens: 0, totalTokens: 0 })).toBe(0);
  });

  it('charges cached, written, reasoning and image tokens at their own prices, and never twice', () => {
    const counts = { cachedInputTokens: 600, cacheWriteInputTokens: 100, reasoningTokens: 40 };
    expect(cost('mini-cached', counts)).toBe(300 * 0.4 + 600 * 0.1 + 100 * 0.5 + 60 * 1.6 + 40 * 3.2);
    expect(cost('mini', counts)).toBe(560);
    expect(cost('painter', { imageInputTokens: 200, imageOutputTokens: 50 })).toBe(800 + 2_000 + 100 + 2_000);
    // Some providers count a part beside its total.
    expect(cost('mini', { inputTokens: 10, cachedInputTokens: 50, outputTokens: 0, totalTokens: 10 })).toBe(
      20,
    );
  });

  it('finds a model by its name, or by the longest beginning that fits', () => {
    expect(cost('gpt-5')).toBe(1_100);
    expect(cost('gpt-4.1-2026')).toBe(2_200);
    expect(prices.charge(report('other'))).toEqual({ ...report('other'), unpricedTokens: 1_100 });
    expect(new Prices().charge(report('other'))).toEqual(report('other'));
  });

  it('rounds once a call, and is a whole number whatever was counted', () => {
    expect(cost('tiny', { inputTokens: 499_999, outputTokens: 0 })).toBe(0);
    expect(cost('tiny', { inputTokens: 500_000, outputTokens: 0 })).toBe(1);
    const counted = fc.oneof(fc.integer({ min: 0, max: 10_000_000 }), fc.double(), fc.constant(Number.NaN));
    const models = fc.constantFrom('mini', 'mini-cached', 'painter', 'tiny', 'gpt-x', 'other');
    fc.assert(
      fc.property(models, fc.array(counted, { minLength: 8, maxLength: 8 }), (model, tokens) => {
        const [inputTokens, outputTokens, totalTokens, cachedInputTokens] = tokens as [
          number,
          number,
          number,
          number,
        ];
        const [reasoningTokens, imageInputTokens, costMicros, unpricedTokens] = tokens.slice(4) as [
          number,
          number,
          number,
          number,
        ];
        const counts = { inputTokens, outputTokens, totalTokens, cachedInputTokens, reasoningTokens };
        const charged = prices.charge(
          report(model, { ...counts, imageInputTokens, costMicros, unpricedTokens }),
        );
        for (const [name, value] of Object.entries(charged))
          if (typeof value === 'number')
            expect([name, Number.isInteger(value) && value >= 0]).toEqual([name, true]);
        const said = [charged.costMicros, charged.unpricedTokens].filter((figure) => figure !== undefined);
        expect(said.length).toBeLessThanOrEqual(1);
        if (charged.totalTokens > 0) expect(said).toHaveLength(1);
      }),
    );
  });

  it('counts nothing for a figure that no model call can have', () => {
    const huge = report('mini', { inputTokens: 1.1e293, outputTokens: Number.MAX_VALUE, totalTokens: 0 });
    expect(prices.charge(huge)).toMatchObject({ inputTokens: 0, outputTokens: 0, totalTokens: 0 });
  });

  it('takes the word of an agent that knows what a call has cost, if it is a sound one', () => {
    expect(cost('other', { costMicros: 17 })).toBe(17);
    expect(cost('mini', { costMicros: 0 })).toBe(0);
    for (const odd of [-1, 0.5, Number.NaN, '5' as unknown as number])
      expect(cost('mini', { costMicros: odd })).toBe(560);
  });

  it('adds up to the sum of the calls', () => {
    const calls = [report('mini'), report('other'), report('mini', { inputTokens: 1 })].map((each) =>
      prices.charge(each),
    );
    const sum = calls.reduce<ReturnType<typeof addUsage> | undefined>(addUsage, undefined);
    expect(sum).toMatchObject({ costMicros: 560 + 160, unpricedTokens: 1_100, totalTokens: 3_300 });
  });

  it('refuses what is no table of prices, and says what is wrong', () => {
    const errors = (table: unknown) => validatePrices(table, 'prices').join('\n');
    expect(errors({ models: { m: { input: 0.4, output: '1.600001' } } })).toBe('');
    for (const [odd, message] of [
      [undefined, 'models must name'],
      [{ models: [] }, 'models must name'],
      [{ currency: 5, models: {} }, 'currency'],
      [{ models: { m: 3 } }, 'no price for input'],
      [{ models: { m: { input: 1 } } }, 'no price for output'],
      [{ models: { m: { input: 1, output: 1, cached: 1 } } }, 'cached is no price'],
      ...['-1', -1, Number.NaN, Infinity, '1e3', 1e-7, '0.0000001', 2_000_000, null, ''].map(
        (price) => [{ models: { m: { input: price, output: 1 } } }, 'm"].input must be'] as const,
      ),
    ] as const)
      expect(errors(odd)).toContain(message);
  });
});
