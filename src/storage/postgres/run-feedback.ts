import type { FeedbackRequest, GivenFeedback } from '../../runs/feedback.js';
import type { ListedRun, Run } from '../../runs/run.js';
import type { Page } from '../../runs/run.store.js';
import { findFeedbackScope } from '../feedback-page.js';
import { toPage } from '../page-cursor.js';
import type { ListedRunRow, RunRow } from '../run-rows.js';
import { continuedBy, LISTED_COLUMNS } from '../run-scan.js';
import type { Statements } from './postgres.database.js';
import { parseListedRun, parseRun } from './postgres-rows.js';

/** Stores the feedback on a run, or removes it. */
export async function setFeedback(
  statements: Statements,
  s: string,
  runId: string,
  given: GivenFeedback | undefined,
): Promise<Run | undefined> {
  if (runId.includes('\0')) return undefined;
  const [row] = await statements.query<RunRow>(
    `UPDATE ${s}.runs SET feedback = $2, feedback_at = CASE WHEN $2::text IS NOT NULL THEN ${s}.now_ms() END
     WHERE id = $1 RETURNING *, ${continuedBy(`${s}.runs`)}`,
    [runId, given === undefined ? null : JSON.stringify(given)],
  );
  return row && parseRun(row);
}

/** Returns a page of the runs with feedback, in the order of its last change. */
export async function listFeedback(
  statements: Statements,
  s: string,
  page: FeedbackRequest,
): Promise<Page<ListedRun>> {
  const { tenant, limit } = page;
  if (tenant?.includes('\0')) return { items: [] };
  const { at, ordinal, before } = findFeedbackScope(page);
  const rows = await statements.query<ListedRunRow & { readonly feedback_at: number }>(
    `SELECT ${LISTED_COLUMNS}, ${continuedBy(`${s}.runs`)}, runs.last_seq, threads.title
     FROM ${s}.runs JOIN ${s}.threads ON threads.id = runs.thread_id
     WHERE ${tenant === undefined ? '' : 'runs.tenant = $5 AND'} feedback_at IS NOT NULL
       AND (feedback_at, runs.ordinal) > ($1, $2) AND feedback_at < $3
     ORDER BY feedback_at, runs.ordinal LIMIT $4::int`,
    [at, ordinal, before, limit + 1, ...(tenant === undefined ? [] : [tenant])],
  );
  return toPage(rows, page, {
    getKeys: (row) => [row.feedback_at, row.ordinal],
    toItem: parseListedRun,
  });
}
