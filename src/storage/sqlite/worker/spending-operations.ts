import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { SpendingQuery } from '../../../runs/spending.js';
import { FIGURES, spendingStatement, toMonth, type SpendingRow } from '../../spending-rows.ts';
import { threadKeysOn, type ThreadName } from './thread-names.ts';

const COLUMNS = Object.values(FIGURES);

/** The figures of a run's `usage`, which is JSON. */
const COUNTED = Object.keys(FIGURES).map((figure) => `usage ->> '$.${figure}'`);

/** Usage that is no run's, as a row. */
export interface OutsideUsageRow {
  readonly tenant: string;
  readonly userId: string;
  readonly agent: string;
  /** As JSON. */
  readonly usage: string;
}

/** Returns the statement that charges what the rows of `used` have in `usage`, with their owner, agent and number of `runs`. */
function chargeText(used: string): string {
  return `
    INSERT INTO spending (month, tenant, user_id, agent, runs, ${COLUMNS.join(', ')})
    SELECT :month, tenant, user_id, agent, runs, ${COUNTED.join(', ')} FROM (${used}) WHERE true
    ON CONFLICT (month, tenant, user_id, agent) DO UPDATE SET runs = runs + excluded.runs,
      ${COLUMNS.map((column) => `${column} = CASE WHEN excluded.${column} IS NULL THEN ${column} ELSE coalesce(${column}, 0) + excluded.${column} END`).join(', ')}`;
}

/** Charges ended runs. Called in the step that stores a run's end, after it. */
export function chargingOn(
  db: DatabaseSync,
): (run: { readonly ordinal: number; readonly now: number }) => void {
  const charge = db.prepare(
    chargeText('SELECT tenant, user_id, agent, 1 AS runs, usage FROM runs WHERE ordinal = :ordinal'),
  );
  return ({ ordinal, now }) => {
    charge.run({ month: toMonth(now), ordinal });
  };
}

/** Sums what was used. Each function is one step; the caller gives it its transaction. */
export function spendingOperations(db: DatabaseSync) {
  const threadKeys = threadKeysOn(db);
  const charge = db.prepare(
    chargeText('SELECT :tenant AS tenant, :userId AS user_id, :agent AS agent, 0 AS runs, :usage AS usage'),
  );
  const ofThread = db.prepare(`
    SELECT count(*) AS runs, ${COUNTED.map((counted, index) => `sum(${counted}) AS ${COLUMNS[index]}`).join(', ')}
    FROM runs WHERE thread_id = ? AND usage IS NOT NULL`);

  return {
    listSpending(query: SpendingQuery): SpendingRow[] {
      const values: SQLInputValue[] = [];
      const statement = spendingStatement('spending', query, (value) => {
        values.push(value);
        return '?';
      });
      return db.prepare(statement).all(...values) as unknown as SpendingRow[];
    },

    chargeUsage({ tenant, userId, agent, usage, now }: OutsideUsageRow & { readonly now: number }): void {
      charge.run({ month: toMonth(now), tenant, userId, agent, usage });
    },

    sumUsage(name: ThreadName): SpendingRow | undefined {
      const key = threadKeys(name);
      const sums = key === undefined ? undefined : (ofThread.get(key) as unknown as SpendingRow);
      return sums && Number(sums.runs) > 0 ? sums : undefined;
    },
  };
}
