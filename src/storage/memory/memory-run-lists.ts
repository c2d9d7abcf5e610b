import type { BranchNode } from '../../runs/branches.js';
import type { ListedRun, Run } from '../../runs/run.js';
import type { RunFilter } from '../../runs/run-filter.js';
import type { Page, PageRequest, UnendedRuns } from '../../runs/run.store.js';
import { PAGE_OF_RECORDS_BYTES } from '../page-cursor.js';
import { findStart, fits, getFigure, toScannedPage, type RunFigure, type ScanPlace } from '../run-scan.js';
import type { MemoryRecords, RunRecord, ThreadRecord } from './memory-records.js';

export function findRuns(records: MemoryRecords, filter: RunFilter, page: PageRequest): Page<ListedRun> {
  const { userId, first = 'newest' } = filter;
  const figure = getFigure(filter);
  const { ordinal: after, figure: below } = findStart(filter, page);
  const start: ScanPlace = { ordinal: after, ...(figure && { figure: below }) };
  const rows = Array.from(records.runs.values(), (record) => toRow(record, figure)).filter((row) => {
    if (row === undefined) return false;
    const { ordinal, run } = row;
    if (first === 'oldest' ? ordinal <= start.ordinal : compare(start, row) >= 0) return false;
    const { tenant, userId: user } = run.principal;
    const scanned = { ordinal, tenant, agent: run.agent, status: run.status, created_at: run.createdAt };
    return (userId === undefined || user === userId) && fits(scanned, filter);
  }) as FoundRun[];
  const sorted = first === 'oldest' ? rows : rows.sort(compare);
  return toScannedPage({ rows: sorted.slice(0, page.limit + 1) }, page, ({ record }) =>
    toListed(records, records.withContinuation(record)),
  );
}

interface FoundRun extends ScanPlace {
  readonly record: RunRecord;
  readonly run: Run;
}

/** Returns the figure of a run; undefined if it has none. */
function toRow(record: RunRecord, figure: RunFigure | undefined): FoundRun | undefined {
  const { ordinal, run } = record;
  const row = { ordinal, record, run };
  if (figure === undefined) return row;
  const value = measure(run, figure);
  return value === undefined ? undefined : { ...row, figure: value };
}

function measure({ usage, createdAt, endedAt }: Run, figure: RunFigure): number | undefined {
  if (figure === 'cost') return usage?.costMicros;
  return endedAt === undefined ? undefined : Math.max(0, endedAt - createdAt);
}

/** Sorts by the largest figure, and then by the newest run. */
function compare(one: ScanPlace, other: ScanPlace): number {
  return (other.figure ?? 0) - (one.figure ?? 0) || other.ordinal - one.ordinal;
}

/** Returns the places of a thread's newest runs, newest first. */
export function listNodes(
  records: MemoryRecords,
  thread: ThreadRecord | undefined,
  limit: number,
): readonly BranchNode[] {
  const rows = [...records.runs.values()].filter(({ run }) => run.threadKey === thread?.key).reverse();
  return rows.slice(0, limit).map(({ run: { id, parentId, copyOf } }) => ({
    id,
    ...(parentId !== undefined && { parentId }),
    ...(copyOf !== undefined && { copyOf }),
  }));
}

export function countUnended(records: MemoryRecords, now: number): UnendedRuns {
  const begun = [...records.unended].filter(({ notBefore = -Infinity }) => notBefore <= now);
  const pending = begun.filter(({ run }) => run.status === 'pending');
  const [oldest] = pending;
  return {
    pending: pending.length,
    running: begun.length - pending.length,
    ...(oldest && { oldestPendingAt: Math.max(oldest.run.createdAt, oldest.notBefore ?? -Infinity) }),
  };
}

export function toListed(records: MemoryRecords, whole: Run): ListedRun {
  const {
    message: _message,
    metadata: _metadata,
    given: _given,
    inputs: _inputs,
    messages: _messages,
    notBefore: _notBefore,
    ...run
  } = whole;
  return { ...run, title: records.threads.get(run.threadKey)?.thread.title ?? '' };
}

/** Returns the number of runs that fit into a page; at least one. */
export function countFitting(rows: readonly RunRecord[]): number {
  let bytes = 0;
  const end = rows.findIndex(({ run }, index) => {
    bytes += run.message.length + JSON.stringify([run.metadata, run.given, run.inputs, run.messages]).length;
    return index > 0 && bytes > PAGE_OF_RECORDS_BYTES;
  });
  return end === -1 ? rows.length : end;
}
