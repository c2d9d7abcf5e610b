import type { Usage } from '../events/run-event.js';
import type { Spending, SpendingGroup, SpendingQuery } from '../runs/spending.js';

/** The figures of a usage, and the columns that sum them. */
export const FIGURES = {
  inputTokens: 'input_tokens',
  outputTokens: 'output_tokens',
  totalTokens: 'total_tokens',
  cachedInputTokens: 'cached_input_tokens',
  cacheWriteInputTokens: 'cache_write_input_tokens',
  imageInputTokens: 'image_input_tokens',
  reasoningTokens: 'reasoning_tokens',
  imageOutputTokens: 'image_output_tokens',
  costMicros: 'cost_micros',
  unpricedTokens: 'unpriced_tokens',
} as const satisfies Record<keyof Usage, string>;

type Column = (typeof FIGURES)[keyof Usage];

/** A row of sums, with the columns of its groups. A column is null if no run had the figure. */
export type SpendingRow = Readonly<Record<Column, number | string | null>> & {
  /** PostgreSQL gives sums of large numbers as text, here and in the figures. */
  readonly runs: number | string;
  readonly month?: string;
  readonly tenant?: string;
  readonly user_id?: string;
  readonly agent?: string;
};

const GROUPS: Readonly<Record<SpendingGroup, readonly string[]>> = {
  month: ['month'],
  tenant: ['tenant'],
  user: ['tenant', 'user_id'],
  agent: ['agent'],
};

/** Returns the columns of these groups, each once. */
export function groupColumns(by: readonly SpendingGroup[]): string[] {
  return [...new Set(by.flatMap((group) => GROUPS[group]))];
}

/** Returns the statement that sums. `value` writes a value of the query into it, as a parameter. */
export function spendingStatement(
  table: string,
  { by, tenant, userId, agent, from, to, limit }: SpendingQuery,
  value: (given: string | number) => string,
): string {
  const columns = groupColumns(by);
  const conditions = [
    tenant !== undefined && `tenant = ${value(tenant)}`,
    userId !== undefined && `user_id = ${value(userId)}`,
    agent !== undefined && `agent = ${value(agent)}`,
    from !== undefined && `month >= ${value(from)}`,
    to !== undefined && `month <= ${value(to)}`,
  ].filter((condition) => condition !== false);
  const sums = ['runs', ...Object.values(FIGURES)].map((column) => `sum(${column}) AS ${column}`);
  return `
    SELECT ${[...columns, ...sums].join(', ')} FROM ${table}
    ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''}
    ${columns.length > 0 ? `GROUP BY ${columns.join(', ')}` : ''}
    HAVING count(*) > 0
    ORDER BY coalesce(sum(cost_micros), 0) DESC, sum(total_tokens) DESC${columns.map((column) => `, ${column}`).join('')}
    LIMIT ${value(limit)}`;
}

export function toSpending({ runs, month, tenant, user_id: userId, agent, ...row }: SpendingRow): Spending {
  return {
    ...(month !== undefined && { month }),
    ...(tenant !== undefined && { tenant }),
    ...(userId !== undefined && { userId }),
    ...(agent !== undefined && { agent }),
    runs: Number(runs),
    usage: toUsage(row),
  };
}

export function toUsage(row: Pick<SpendingRow, Column>): Usage {
  const figures = Object.entries(FIGURES).flatMap(([name, column]) =>
    row[column] === null ? [] : [[name, Number(row[column])] as const],
  );
  return Object.fromEntries(figures) as unknown as Usage;
}

/** Returns the month of a moment, as `2026-11`. */
export function toMonth(at: number): string {
  return new Date(at).toISOString().slice(0, 7);
}
