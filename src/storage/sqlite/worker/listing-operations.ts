import type { DatabaseSync } from 'node:sqlite';
import type { RunFilter } from '../../../runs/run-filter.js';
import type { UnendedRuns } from '../../../runs/run.store.js';
import type { ListedRunRow } from '../../run-rows.js';
import {
  chooseFigurePath,
  choosePath,
  continuedBy,
  fits,
  getFigure,
  isBeyond,
  LISTED_COLUMNS,
  RARE_ENDS,
  SCANNED_RUNS,
  type FigurePath,
  type PageStart,
  type RunFigure,
  type RunPath,
  type RunScan,
  type ScannedRun,
  type ScanPlace,
} from '../../run-scan.ts';

export interface FindRuns {
  readonly filter: RunFilter;
  readonly limit: number;
  readonly start: PageStart;
}

/** The runs along each path. What follows the name of an index restates its condition, or SQLite does not use it. */
const PATHS: Readonly<Record<RunPath, string>> = {
  owner: 'INDEXED BY runs_of_owner WHERE tenant = :tenant AND user_id = :userId',
  unended: 'INDEXED BY runs_unended_by_age WHERE ended_at IS NULL',
  'rare-ends': `INDEXED BY runs_of_rare_ends WHERE status IN (${RARE_ENDS.map((end) => `'${end}'`).join(', ')})`,
  tenant: 'INDEXED BY runs_of_tenant WHERE tenant = :tenant',
  all: 'WHERE true',
};

const COST = "json_extract(usage, '$.costMicros')";

/** Figures, as in the indexes, and the condition for runs that have one. */
const FIGURES: Readonly<Record<RunFigure, { readonly value: string; readonly exists: string }>> = {
  cost: { value: COST, exists: `${COST} IS NOT NULL` },
  duration: { value: 'max(0, ended_at - created_at)', exists: 'ended_at IS NOT NULL' },
};

/** The paths along a figure. */
const FIGURE_PATHS: Readonly<Record<FigurePath, (figure: RunFigure) => string>> = {
  owner: (figure) => `INDEXED BY runs_of_owner_by_${figure} WHERE tenant = :tenant AND user_id = :userId`,
  tenant: (figure) => `INDEXED BY runs_of_tenant_by_${figure} WHERE tenant = :tenant`,
  all: (figure) => `INDEXED BY runs_by_${figure} WHERE true`,
};

/** Lists runs of all threads. Each function is one step; the caller gives it its transaction. */
export function listingOperations(db: DatabaseSync) {
  const scans = scansOn(db);
  const byOrdinal = db.prepare(`
    SELECT ${LISTED_COLUMNS}, ${continuedBy('runs')}, threads.title,
      (SELECT coalesce(max(last_seq), 0) FROM batches WHERE batches.run = runs.ordinal) AS last_seq
    FROM runs JOIN threads ON threads.id = runs.thread_id WHERE runs.ordinal = ?`);
  const unended = db.prepare(`
    SELECT count(*) FILTER (WHERE status = 'pending') AS pending, count(*) FILTER (WHERE status = 'running') AS running
    FROM runs INDEXED BY runs_by_turn WHERE ended_at IS NULL`);
  const oldestPending = db.prepare(`
    SELECT max(created_at, coalesce(not_before, created_at)) AS at FROM runs INDEXED BY runs_unended_by_age
    WHERE ended_at IS NULL AND status = 'pending' ORDER BY ordinal LIMIT 1`);

  return {
    /** Up to one run more than `limit`, so that the caller knows whether there is another page. */
    findRuns({ filter, limit, start }: FindRuns): RunScan<ListedRunRow & ScanPlace> {
      const found: ScannedRun[] = [];
      let looked = 0;
      let stoppedAt: ScanPlace | undefined;
      for (const row of scans(filter, start)) {
        const run = row as unknown as ScannedRun;
        if (isBeyond(run.created_at, filter)) break;
        if (fits(run, filter)) found.push(run);
        if (found.length > limit) break;
        looked += 1;
        if (looked === SCANNED_RUNS) {
          stoppedAt = toPlace(run);
          break;
        }
      }
      const rows = found.map((run) => ({
        ...(byOrdinal.get(run.ordinal) as unknown as ListedRunRow),
        ...toPlace(run),
      }));
      return { rows, stoppedAt };
    },

    countUnended(): UnendedRuns {
      const counts = unended.get() as unknown as Pick<UnendedRuns, 'pending' | 'running'>;
      const oldest = oldestPending.get() as { readonly at: number } | undefined;
      return { ...counts, ...(oldest && { oldestPendingAt: oldest.at }) };
    },
  };
}

/** The statements that look at runs in the order of a list, one for each path. */
function scansOn(db: DatabaseSync) {
  const columns = 'ordinal, tenant, agent, status, created_at';
  const byTime = mapKeys(PATHS, (path) => {
    const select = `SELECT ${columns} FROM runs ${PATHS[path]}`;
    const newest = db.prepare(`${select} AND ordinal < :ordinal ORDER BY ordinal DESC`);
    const oldest = db.prepare(`${select} AND ordinal > :ordinal ORDER BY ordinal`);
    return { newest, oldest };
  });
  const byFigure = mapKeys(FIGURES, (figure) =>
    mapKeys(FIGURE_PATHS, (path) => {
      const { value, exists } = FIGURES[figure];
      // In such an index SQLite seeks to a figure, but not to a pair: it would look at all earlier runs again.
      return db.prepare(
        `SELECT ${columns}, ${value} AS figure FROM runs ${FIGURE_PATHS[path](figure)} AND ${exists}
         AND ${value} <= :figure AND (${value} < :figure OR ordinal < :ordinal) ORDER BY ${value} DESC, ordinal DESC`,
      );
    }),
  );
  return (filter: RunFilter, { ordinal, figure }: PageStart) => {
    const { tenant = '', userId = '', first } = filter;
    const by = getFigure(filter);
    const path = by ? chooseFigurePath(filter) : choosePath(filter);
    const scope = {
      ordinal,
      ...(by && { figure }),
      ...((path === 'owner' || path === 'tenant') && { tenant }),
      ...(path === 'owner' && { userId }),
    };
    const scan = by
      ? byFigure[by][path as FigurePath]
      : byTime[path][first === 'oldest' ? 'oldest' : 'newest'];
    return scan.iterate(scope);
  };
}

function mapKeys<Key extends string, Value>(
  record: Readonly<Record<Key, unknown>>,
  toValue: (key: Key) => Value,
): Record<Key, Value> {
  const keys = Object.keys(record) as Key[];
  return Object.fromEntries(keys.map((key) => [key, toValue(key)])) as Record<Key, Value>;
}

function toPlace({ ordinal, figure }: ScannedRun): ScanPlace {
  return { ordinal, ...(figure != null && { figure }) };
}
