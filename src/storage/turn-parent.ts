/**
 * A query for the run after which the turn of a run was asked: the run itself, or the first of those that it continues after answers. Its column
 * `parent_id` is empty if there is none.
 *
 * @param runId the parameter
 */
export function turnParentQuery(runs: string, runId: string): string {
  return `
    WITH RECURSIVE turn AS (
      SELECT ordinal, thread_id, resume_of, parent_id FROM ${runs} WHERE id = ${runId}
      UNION ALL SELECT before.ordinal, before.thread_id, before.resume_of, before.parent_id
        FROM turn JOIN ${runs} AS before ON before.id = turn.resume_of
    )
    SELECT coalesce(parent_id, (
      SELECT before.id FROM ${runs} AS before
      WHERE before.thread_id = turn.thread_id AND before.ordinal < turn.ordinal ORDER BY before.ordinal DESC LIMIT 1
    ), '') AS parent_id FROM turn ORDER BY ordinal LIMIT 1`;
}
