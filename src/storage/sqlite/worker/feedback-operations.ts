import type { DatabaseSync } from 'node:sqlite';
import type { FeedbackScope } from '../../feedback-page.js';
import type { ListedRunRow, RunRow } from '../../run-rows.js';
import { continuedBy, LISTED_COLUMNS } from '../../run-scan.ts';
import { LAST_SEQ } from './run-operations.ts';

export interface SetFeedback {
  readonly runId: string;
  /** JSON. Null: none. */
  readonly feedback: string | null;
  readonly now: number;
}

export interface ListFeedback extends FeedbackScope {
  readonly tenant?: string;
  readonly limit: number;
}

export type FeedbackRow = ListedRunRow & { readonly feedback_at: number };

/** The judgements of people on answers. Each function is one step; the caller gives it its transaction. */
export function feedbackOperations(
  db: DatabaseSync,
  { getRun }: { readonly getRun: (id: string) => RunRow | undefined },
) {
  const set = db.prepare(
    `UPDATE runs SET feedback = :feedback, feedback_at = CASE WHEN :feedback IS NOT NULL THEN :now END WHERE id = :runId`,
  );
  const list = (path: string, condition: string) =>
    db.prepare(`
      SELECT ${LISTED_COLUMNS}, ${continuedBy('runs')}, threads.title, ${LAST_SEQ}
      FROM runs INDEXED BY ${path} JOIN threads ON threads.id = runs.thread_id
      WHERE ${condition} runs.feedback_at IS NOT NULL AND (runs.feedback_at, runs.ordinal) > (:at, :ordinal)
        AND runs.feedback_at < :before
      ORDER BY runs.feedback_at, runs.ordinal LIMIT :limit`);
  const ofAll = list('runs_by_feedback', '');
  const ofTenant = list('runs_of_tenant_by_feedback', 'runs.tenant = :tenant AND');

  return {
    setFeedback(input: SetFeedback): RunRow | undefined {
      set.run({ ...input });
      return getRun(input.runId);
    },

    listFeedback({ tenant, ...place }: ListFeedback): FeedbackRow[] {
      const rows = tenant === undefined ? ofAll.all(place) : ofTenant.all({ ...place, tenant });
      return rows as unknown as FeedbackRow[];
    },
  };
}
