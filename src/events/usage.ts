import type { Usage } from './run-event.js';

/** The parts of the two totals, in the order in which they are written. */
const PARTS = ['cachedInputTokens', 'cacheWriteInputTokens', 'reasoningTokens'] as const;

/** Sums the tokens of two reports. A part that neither of them names stays absent. */
export function addUsage(sum: Usage | undefined, next: Usage): Usage {
  return {
    inputTokens: (sum?.inputTokens ?? 0) + next.inputTokens,
    outputTokens: (sum?.outputTokens ?? 0) + next.outputTokens,
    totalTokens: (sum?.totalTokens ?? 0) + next.totalTokens,
    ...parts((part) =>
      sum?.[part] === undefined && next[part] === undefined
        ? undefined
        : (sum?.[part] ?? 0) + (next[part] ?? 0),
    ),
  };
}

/**
 * Returns the counts as they may be stored and sent: whole numbers from 0 on. Providers say null, and adding to what is not there makes NaN. The
 * total is never less than its two halves, and a part is absent unless it was counted.
 */
export function normalizeUsage(counted: Partial<Record<keyof Usage, unknown>>): Usage {
  const inputTokens = toCount(counted.inputTokens) ?? 0;
  const outputTokens = toCount(counted.outputTokens) ?? 0;
  return {
    inputTokens,
    outputTokens,
    totalTokens: Math.max(toCount(counted.totalTokens) ?? 0, inputTokens + outputTokens),
    ...parts((part) => toCount(counted[part])),
  };
}

function parts(count: (part: (typeof PARTS)[number]) => number | undefined): Partial<Usage> {
  const counted = PARTS.map((part) => [part, count(part)] as const);
  return Object.fromEntries(counted.filter(([, tokens]) => tokens !== undefined));
}

function toCount(tokens: unknown): number | undefined {
  return typeof tokens === 'number' && tokens >= 0 && Number.isFinite(tokens)
    ? Math.round(tokens)
    : undefined;
}
