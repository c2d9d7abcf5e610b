import type { RunFilter, RunOrder } from '../runs/run-filter.js';
import type { Page, PageRequest } from '../runs/run.store.js';
import type { RunStatus } from '../runs/run.js';
import { listStored } from '../events/earlier-records.ts';
import { keysAfter, toCursor, type SortKeys } from './page-cursor.ts';

/** Runs that a page looks at, at most. Reading them takes a database a few milliseconds. */
export const SCANNED_RUNS = 2_000;

/** Ends of which there are few among many, so that they have an index. */
export const RARE_ENDS = ['failed', 'cancelled', 'awaiting-input'] as const satisfies readonly RunStatus[];

const UNENDED: readonly RunStatus[] = ['pending', 'running'];

/** Names of the columns of `runs` that a list reads, but for `last_seq`. */
export const LISTED_COLUMNS = `
  runs.ordinal, runs.id, runs.thread_id, runs.thread_name, runs.agent, runs.tenant, runs.user_id, runs.roles, runs.message_id,
  runs.resume_of, runs.parent_id, runs.copy_of, runs.status, runs.epoch, runs.first_seq, runs.cancel_requested, runs.deaths, runs.created_at, runs.started_at,
  runs.ended_at, runs.error, runs.usage, runs.feedback, runs.feedback_at`;

/** Returns the column `continued_by`, for a query of the table `runs`: the run that continues with the answers. */
export function continuedBy(table: string): string {
  return `(SELECT next.id FROM ${table} AS next WHERE next.resume_of = runs.id ORDER BY next.ordinal DESC LIMIT 1) AS continued_by`;
}

/** Figures by which runs are sorted. Each has an index for the runs of an owner, of a tenant, and all. */
export type RunFigure = 'cost' | 'duration';

const FIGURES: Readonly<Partial<Record<RunOrder, RunFigure>>> = { dearest: 'cost', longest: 'duration' };

/** Returns the figure that a list is sorted by, the largest first. Undefined for one in the order of time. */
export function getFigure({ first = 'newest' }: RunFilter): RunFigure | undefined {
  return FIGURES[first];
}

/** The order in which runs are looked at: along one index, so that each of them costs little. The rest of a filter is asked of each run. */
export type RunPath = 'owner' | 'unended' | 'rare-ends' | 'tenant' | 'all';

/** Index paths along a figure. */
export type FigurePath = Extract<RunPath, 'owner' | 'tenant' | 'all'>;

export function chooseFigurePath({ tenant, userId }: RunFilter): FigurePath {
  if (tenant === undefined) return 'all';
  return userId === undefined ? 'tenant' : 'owner';
}

export function choosePath(filter: RunFilter): RunPath {
  const { tenant, userId, status = [] } = filter;
  if (tenant !== undefined && userId !== undefined) return 'owner';
  if (status.length > 0 && status.every((each) => UNENDED.includes(each))) return 'unended';
  if (status.length > 0 && status.every((each) => (RARE_ENDS as readonly string[]).includes(each)))
    return 'rare-ends';
  return tenant === undefined ? 'all' : 'tenant';
}

/** A run's place in a list. */
export interface ScanPlace {
  readonly ordinal: number;
  /** The figure that the list is sorted by; null or absent in the order of time. */
  readonly figure?: number | null;
}

/** The place after which a page begins. */
export interface PageStart {
  readonly ordinal: number;
  readonly figure: number;
}

export function findStart(filter: RunFilter, page: PageRequest): PageStart {
  const most = Number.MAX_SAFE_INTEGER;
  const [ordinal = filter.first === 'oldest' ? 0 : most, figure = most] =
    keysAfter(page, getFigure(filter) ? 2 : 1) ?? [];
  return { ordinal, figure };
}

/** A run as far as a filter looks at it. */
export interface ScannedRun extends ScanPlace {
  readonly tenant: string;
  readonly agent: string;
  readonly status: string;
  readonly created_at: number;
}

/** True if the run fits. Its user is not looked at: a filter with one has its own path. */
export function fits(run: ScannedRun, { tenant, agent, status, since, before }: RunFilter): boolean {
  return (
    (tenant === undefined || run.tenant === tenant) &&
    (agent === undefined || run.agent === agent) &&
    (status === undefined || listStored(status).includes(run.status)) &&
    (since === undefined || run.created_at >= since) &&
    (before === undefined || run.created_at < before)
  );
}

/** True if no run after this one fits. Only a list in the order of time can know that. */
export function isBeyond(createdAt: number, filter: RunFilter): boolean {
  const { since, before, first } = filter;
  if (getFigure(filter)) return false;
  return first === 'oldest'
    ? before !== undefined && createdAt >= before
    : since !== undefined && createdAt < since;
}

/** The outcome of one look at runs. */
export interface RunScan<Row> {
  /** Runs that fit, up to one more than the page has. */
  readonly rows: readonly Row[];
  /** The place where it stopped looking because it had looked at enough. Absent: it has seen all. */
  readonly stoppedAt?: ScanPlace | undefined;
}

/** Makes a page of what was found. Where it ends for having looked at enough, the next one begins there. */
export function toScannedPage<Row extends ScanPlace, Item>(
  { rows, stoppedAt }: RunScan<Row>,
  { limit }: PageRequest,
  toItem: (row: Row) => Item,
): Page<Item> {
  const items = rows.slice(0, limit).map(toItem);
  const last = rows.length > limit ? rows[limit - 1] : stoppedAt;
  return last === undefined ? { items } : { items, nextCursor: toCursor(toKeys(last)) };
}

function toKeys({ ordinal, figure }: ScanPlace): SortKeys {
  return figure == null ? [ordinal] : [ordinal, figure];
}
