import type { Usage } from './run-event.js';

/** The parts of the two totals, in the order in which they are written. */
const PARTS = [
  'cachedInputTokens',
  'cacheWriteInputTokens',
  'imageInputTokens',
  'reasoningTokens',
  'imageOutputTokens',
] as const;

/** The figures of a price table. No provider counts them. */
const MONEY = ['costMicros', 'unpricedTokens'] as const;

/** Of one call. A count above it is a fault of the provider, and would make sums inexact. */
const MOST_TOKENS = 1e12;

const FIGURES: ReadonlySet<string> = new Set<keyof Usage>([
  'inputTokens',
  'outputTokens',
  'totalTokens',
  ...PARTS,
  ...MONEY,
]);

/** Returns what a report says beside its figures. */
export function withoutUsage<Report extends Usage>(report: Report): Omit<Report, keyof Usage> {
  const others = Object.entries(report).filter(([name]) => !FIGURES.has(name));
  return Object.fromEntries(others) as Omit<Report, keyof Usage>;
}

/** Sums the tokens of two reports. A part that neither of them names stays absent. */
export function addUsage(sum: Usage | undefined, next: Usage): Usage {
  return {
    inputTokens: (sum?.inputTokens ?? 0) + next.inputTokens,
    outputTokens: (sum?.outputTokens ?? 0) + next.outputTokens,
    totalTokens: (sum?.totalTokens ?? 0) + next.totalTokens,
    ...figures([...PARTS, ...MONEY], (part) =>
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
    ...figures(PARTS, (part) => toCount(counted[part])),
  };
}

function figures<Figure extends keyof Usage>(
  names: readonly Figure[],
  count: (name: Figure) => number | undefined,
): Partial<Usage> {
  const counted = names.map((name) => [name, count(name)] as const);
  return Object.fromEntries(counted.filter(([, tokens]) => tokens !== undefined));
}

function toCount(tokens: unknown): number | undefined {
  return typeof tokens === 'number' && tokens >= 0 && tokens <= MOST_TOKENS ? Math.round(tokens) : undefined;
}
