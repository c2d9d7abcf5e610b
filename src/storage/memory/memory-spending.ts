import type { Usage } from '../../events/run-event.js';
import { addUsage } from '../../events/usage.js';
import type { Owner } from '../../principal.js';
import type { Spending, SpendingQuery } from '../../runs/spending.js';
import { groupColumns } from '../spending-rows.js';
import type { MemoryRecords } from './memory-records.js';

/** Sums as a database does by GROUP BY. */
export function sumSpending(
  all: readonly Required<Spending>[],
  { by, limit, tenant, userId, agent, from, to }: SpendingQuery,
): Spending[] {
  const columns = groupColumns(by);
  const sums = new Map<string, Spending>();
  for (const spent of all) {
    if (tenant !== undefined && spent.tenant !== tenant) continue;
    if (userId !== undefined && spent.userId !== userId) continue;
    if (agent !== undefined && spent.agent !== agent) continue;
    if ((from !== undefined && spent.month < from) || (to !== undefined && spent.month > to)) continue;
    const names = {
      ...(columns.includes('month') && { month: spent.month }),
      ...(columns.includes('tenant') && { tenant: spent.tenant }),
      ...(columns.includes('user_id') && { userId: spent.userId }),
      ...(columns.includes('agent') && { agent: spent.agent }),
    };
    const key = JSON.stringify(names);
    const sum = sums.get(key);
    sums.set(key, {
      ...names,
      runs: (sum?.runs ?? 0) + spent.runs,
      usage: addUsage(sum?.usage, spent.usage),
    });
  }
  return [...sums.entries()]
    .sort(([one, { usage: a }], [other, { usage: b }]) => {
      const byCost = (b.costMicros ?? 0) - (a.costMicros ?? 0);
      return byCost || b.totalTokens - a.totalTokens || (one < other ? -1 : 1);
    })
    .slice(0, limit)
    .map(([, sum]) => sum);
}

export function sumUsage(records: MemoryRecords, owner: Owner, threadId: string): Usage | undefined {
  const key = records.thread(owner, threadId)?.key;
  let sum: Usage | undefined;
  for (const { run } of records.runs.values())
    if (run.threadKey === key && run.usage) sum = addUsage(sum, run.usage);
  return sum;
}
