import { listStored } from '../../events/earlier-records.js';
import type { RunFilter } from '../../runs/run-filter.js';
import type { UnendedRuns } from '../../runs/run.store.js';
import type { ListedRunRow } from '../run-rows.js';
import {
  chooseFigurePath,
  choosePath,
  continuedBy,
  getFigure,
  isBeyond,
  LISTED_COLUMNS,
  RARE_ENDS,
  SCANNED_RUNS,
  type PageStart,
  type RunFigure,
  type RunPath,
  type RunScan,
  type ScanPlace,
} from '../run-scan.js';
import type { Statements } from './postgres.database.js';

/** The runs along each path: one index has them in their order. */
const PATHS: Readonly<Record<RunPath, string>> = {
  owner: 'tenant = $1 AND user_id = $2',
  unended: 'ended_at IS NULL',
  'rare-ends': `status IN (${RARE_ENDS.map((end) => `'${end}'`).join(', ')})`,
  tenant: 'tenant = $1',
  all: 'true',
};

const COST = `((usage::jsonb ->> 'costMicros')::bigint)`;

/** Figures, as in the indexes, and the condition for runs that have one. */
const FIGURES: Readonly<Record<RunFigure, { readonly value: string; readonly exists: string }>> = {
  cost: { value: COST, exists: `${COST} IS NOT NULL` },
  duration: { value: '(greatest(0, ended_at - created_at))', exists: 'ended_at IS NOT NULL' },
};

type FoundRow = ListedRunRow & {
  readonly figure: number | null;
  readonly looked: number;
  readonly stopped_at: number | null;
  readonly stopped_figure: number | null;
  readonly reached: number | null;
};

/** Finds up to one run more than `limit` that fit, and tells where it stopped looking. */
export async function findRuns(
  statements: Statements,
  s: string,
  { filter, limit, start }: { readonly filter: RunFilter; readonly limit: number; readonly start: PageStart },
): Promise<RunScan<ListedRunRow & ScanPlace>> {
  const { tenant, userId, agent, status, since, before } = filter;
  const { path, figure, after, inOrder, order, reverse } = walkAlong(filter);
  const rows = await statements.query<FoundRow>(
    `WITH scanned AS MATERIALIZED (
       SELECT ordinal, created_at, ${figure} AS figure, (
         ($1::text IS NULL OR tenant = $1) AND ($2::text IS NULL OR user_id = $2) AND ($3::text IS NULL OR agent = $3)
         AND ($4::text[] IS NULL OR status = ANY ($4)) AND ($5::bigint IS NULL OR created_at >= $5)
         AND ($6::bigint IS NULL OR created_at < $6)) AS fits
       FROM ${s}.runs WHERE ${path} AND ${after}
       ORDER BY ${inOrder} LIMIT ${SCANNED_RUNS}
     ), found AS (
       SELECT ordinal AS found, figure FROM scanned WHERE fits ORDER BY figure DESC, ordinal ${order} LIMIT $8::int
     ), edge AS (
       SELECT ordinal AS stopped_at, figure AS stopped_figure, created_at AS reached, (SELECT count(*) FROM scanned) AS looked
       FROM scanned ORDER BY figure ASC, ordinal ${reverse} LIMIT 1
     )
     SELECT edge.*, found.figure, ${LISTED_COLUMNS}, ${continuedBy(`${s}.runs`)}, runs.last_seq, threads.title
     FROM edge LEFT JOIN found ON true LEFT JOIN ${s}.runs ON runs.ordinal = found
     LEFT JOIN ${s}.threads ON threads.id = runs.thread_id ORDER BY found.figure DESC, runs.ordinal ${order}`,
    [
      tenant ?? null,
      userId ?? null,
      agent ?? null,
      status ? listStored(status) : null,
      since ?? null,
      before ?? null,
      start.ordinal,
      limit + 1,
      ...(getFigure(filter) ? [start.figure] : []),
    ],
  );
  const [edge] = rows;
  const mayHaveMore = edge?.looked === SCANNED_RUNS && !isBeyond(edge.reached ?? 0, filter);
  return {
    // Without a run that fits there is still a row: the edge.
    rows: rows.filter(({ id }) => (id as string | null) !== null),
    stoppedAt: mayHaveMore ? { ordinal: edge.stopped_at ?? 0, figure: edge.stopped_figure } : undefined,
  };
}

/** Parts of the query: the runs to look at, the place to begin after, and the order. */
function walkAlong(filter: RunFilter) {
  const by = getFigure(filter);
  if (by) {
    const { value: figure, exists } = FIGURES[by];
    const after = `${exists} AND (${figure}, ordinal) < ($9::bigint, $7::bigint)`;
    const inOrder = `${figure} DESC, ordinal DESC`;
    return { path: PATHS[chooseFigurePath(filter)], figure, after, inOrder, order: 'DESC', reverse: 'ASC' };
  }
  const [comparison, order, reverse] =
    filter.first === 'oldest' ? ['>', 'ASC', 'DESC'] : ['<', 'DESC', 'ASC'];
  const after = `ordinal ${comparison} $7::bigint`;
  const inOrder = `ordinal ${order}`;
  return { path: PATHS[choosePath(filter)], figure: 'NULL::bigint', after, inOrder, order, reverse };
}

export async function countUnended(statements: Statements, s: string): Promise<UnendedRuns> {
  const [row] = await statements.query<{ pending: number; running: number; oldest: number | null }>(
    `SELECT (SELECT count(*) FROM ${s}.runs WHERE status = 'pending') AS pending,
       (SELECT count(*) FROM ${s}.runs WHERE status = 'running') AS running,
       (SELECT greatest(created_at, not_before) FROM ${s}.runs WHERE status = 'pending' ORDER BY ordinal LIMIT 1) AS oldest`,
  );
  const { pending = 0, running = 0, oldest } = row ?? {};
  return { pending, running, ...(oldest != null && { oldestPendingAt: oldest }) };
}
