import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { SpendingQuery } from '../../../runs/spending.js';
import { FIGURES, spendingStatement, toMonth, type SpendingRow } from '../../spending-rows.ts';
import { threadKeysOn, type ThreadName } from './thread-names.ts';

const COLUMNS = Object.values(FIGURES);

/** The figures of a run's `usage`, which is JSON. */
const COUNTED = Object.keys(FIGURES).map((figure) => `usage ->> '$.${figure}'`);

/** Charges ended runs. Called in the step that stores a run's end, after it. */
export function chargingOn(
  db: DatabaseSync,
): (run: { readonly ordinal: number; readonly now: number }) => void {
  const charge = db.prepare(`
    INSERT INTO spending (month, tenant, user_id, agent, runs, ${COLUMNS.join(', ')})
    SELECT :month, tenant, user_id, agent, 1, ${COUNTED.join(', ')} FROM runs WHERE ordinal = :ordinal
    ON CONFLICT (month, tenant, user_id, agent) DO UPDATE SET runs = runs + 1,
      ${COLUMNS.map((column) => `${column} = CASE WHEN excluded.${column} IS NULL THEN ${column} ELSE coalesce(${column}, 0) + excluded.${column} END`).join(', ')}`);
  return ({ ordinal, now }) => {
    charge.run({ month: toMonth(now), ordinal });
  };
}

/** Sums what runs have used. Each function is one step; the caller gives it its transaction. */
export function spendingOperations(db: DatabaseSync) {
  const threadKeys = threadKeysOn(db);
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

    sumUsage(name: ThreadName): SpendingRow | undefined {
      const key = threadKeys(name);
      const sums = key === undefined ? undefined : (ofThread.get(key) as unknown as SpendingRow);
      return sums && Number(sums.runs) > 0 ? sums : undefined;
    },
  };
}
