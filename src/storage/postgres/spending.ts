import type { Usage } from '../../events/run-event.js';
import type { Owner } from '../../principal.js';
import type { OutsideUsage, Spending, SpendingQuery } from '../../runs/spending.js';
import { FIGURES, spendingStatement, toSpending, toUsage, type SpendingRow } from '../spending-rows.js';
import type { PostgresDatabase, Statements } from './postgres.database.js';
import { threadKeyQuery } from './thread-names.js';

const COLUMNS = Object.values(FIGURES);

const counted = (usage: string) =>
  Object.entries(FIGURES).map(
    ([figure, column]) => `sum((${usage}::jsonb ->> '${figure}')::bigint)::bigint AS ${column}`,
  );

/**
 * Part of the statement that appends: charges the runs that it ends. `ended` names the rows of those, with their owner and agent, and `usage` as
 * JSON. In the order of the key, so that two statements that charge the same owners wait for each other, and not both ways.
 *
 * @param runs how many runs the rows of a sum count as
 */
export function chargeText(s: string, ended: string, runs: 'count(*)' | '0' = 'count(*)'): string {
  const grown = COLUMNS.map(
    (column) =>
      `${column} = CASE WHEN excluded.${column} IS NULL THEN spending.${column} ELSE coalesce(spending.${column}, 0) + excluded.${column} END`,
  );
  return `
    INSERT INTO ${s}.spending (month, tenant, user_id, agent, runs, ${COLUMNS.join(', ')})
    SELECT to_char(to_timestamp(ended_at / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM'), tenant, user_id, agent, ${runs},
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

/** In one attempt: a second one could charge twice. */
export async function chargeUsage(
  database: Pick<PostgresDatabase, 'queryOnce'>,
  s: string,
  { owner: { tenant, userId }, agent, usage }: OutsideUsage,
): Promise<void> {
  const used = `(SELECT ${s}.now_ms() AS ended_at, $1::text AS tenant, $2::text AS user_id, $3::text AS agent, $4::text AS usage) AS used`;
  await database.queryOnce(chargeText(s, used, '0'), [tenant, userId, agent, JSON.stringify(usage)]);
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
