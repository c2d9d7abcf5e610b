import { withPlace, type AdmittedRun, type TurnPlace } from '../runs/admission.ts';
import type { NewRun } from '../runs/run.store.js';
import { readParentColumn } from './parent-column.ts';

/** The first run of a turn, as far as it has the place of the turn. */
export interface TurnRow {
  readonly parent_id: string | null;
  readonly given: string | null;
}

/**
 * A query for the first run of a turn: a run itself, or the first of those that it continues after answers. Its column `parent_id` is empty if no
 * run is before it.
 *
 * @param runId the parameter
 */
export function turnPlaceQuery(runs: string, runId: string): string {
  return `
    WITH RECURSIVE turn AS (
      SELECT ordinal, thread_id, resume_of, parent_id, given FROM ${runs} WHERE id = ${runId}
      UNION ALL SELECT before.ordinal, before.thread_id, before.resume_of, before.parent_id, before.given
        FROM turn JOIN ${runs} AS before ON before.id = turn.resume_of
    )
    SELECT coalesce(parent_id, (
      SELECT before.id FROM ${runs} AS before
      WHERE before.thread_id = turn.thread_id AND before.ordinal < turn.ordinal ORDER BY before.ordinal DESC LIMIT 1
    ), '') AS parent_id, given FROM turn ORDER BY ordinal LIMIT 1`;
}

export function readTurnPlace(row: TurnRow): TurnPlace {
  const { fromCheckpoint } = parseGiven(row.given) ?? {};
  return { ...readParentColumn(row), ...(fromCheckpoint !== undefined && { fromCheckpoint }) };
}

/** Returns what a run is given, as a column, with the place that it has taken over. */
export function placeGivenColumn(
  { given }: { readonly given: string | null },
  admission: Pick<AdmittedRun, 'fromCheckpoint'>,
): string | null {
  if (admission.fromCheckpoint === undefined) return given;
  return JSON.stringify(withPlace({ given: parseGiven(given) ?? {} }, admission).given);
}

function parseGiven(column: string | null): NewRun['given'] {
  return column === null ? undefined : (JSON.parse(column) as NonNullable<NewRun['given']>);
}
