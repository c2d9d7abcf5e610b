import type { Usage } from '../../events/run-event.js';
import type { Owner } from '../../principal.js';
import type { Spending, SpendingQuery } from '../../runs/spending.js';
import { FIGURES, spendingStatement, toSpending, toUsage, type SpendingRow } from '../spending-rows.js';
import type { Statements } from './postgres.database.js';
import { threadKeyQuery } from './thread-names.js';

const COLUMNS = Object.values(FIGURES);

const counted = (usage: string) =>
  Object.entries(FIGURES).map(
    ([figure, column]) => `sum((${usage}::jsonb ->> '${figure}')::bigint)::bigint AS ${column}`,
  );

/**
 * Part of the statement that appends: charges the runs that it ends. `ended` names the rows of those, with their owner and agent, and `usage` as
 * JSON. In the order of the key, so that two statements that charge the same owners wait for each other, and not both ways.
 */
export function chargeText(s: string, ended: string): string {
  const grown = COLUMNS.map(
    (column) =>
      `${column} = CASE WHEN excluded.${column} IS NULL THEN spending.${column} ELSE coalesce(spending.${column}, 0) + excluded.${column} END`,
  );
  return `
    INSERT INTO ${s}.spending (month, tenant, user_id, agent, runs, ${COLUMNS.join(', ')})
    SELECT to_char(to_timestamp(ended_at / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM'), tenant, user_id, agent, count(*),
      ${counted('usage').join(', ')}
    FROM ${ended} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (month, tenant, user_id, agent) DO UPDATE SET runs = spending.runs + excluded.runs, ${grown.join(', ')}`;
}

export async function listSpending(
  statements: Statements,
  s: string,
  query: SpendingQuery,
): Promise<readonly Spending[]> {
  const values: (string | number)[] = [];
  const text = spendingStatement(`${s}.spending`, query, (value) => `$${values.push(value)}`);
  if (values.some((value) => String(value).includes('\0'))) return [];
  return (await statements.query<SpendingRow>(text, values)).map(toSpending);
}

export async function sumUsage(
  statements: Statements,
  s: string,
  { owner: { tenant, userId }, id }: { readonly owner: Owner; readonly id: string },
): Promise<Usage | undefined> {
  if (id.includes('\0')) return undefined;
  const [row] = await statements.query<SpendingRow>(
    `SELECT count(*) AS runs, ${counted('usage').join(', ')} FROM ${s}.runs
     WHERE thread_id = (${threadKeyQuery(s)}) AND usage IS NOT NULL`,
    [tenant, userId, id],
  );
  return row && Number(row.runs) > 0 ? toUsage(row) : undefined;
}
