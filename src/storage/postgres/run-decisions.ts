import { applyDecisions } from '../../runs/decisions.js';
import type { DecideResult, NewDecisions } from '../../runs/run.store.js';
import type { RunRow } from '../run-rows.js';
import type { Statements } from './postgres.database.js';
import { parseRun } from './postgres-rows.js';
import { createRun } from './run-creation.js';
import { lockThread } from './thread-names.js';

/**
 * Notes what people have decided, and stores the continuing run with the last missing answer. Answers and starts in the same thread
 * go one after the other, so an answer comes before what would close it or after, and two last answers make one run.
 *
 * @param isRetry true if this was tried before with an unknown end: what it has stored then is found like any earlier answer
 */
export async function decideRun(
  tx: Statements,
  s: string,
  { newDecisions, isRetry }: { readonly newDecisions: NewDecisions; readonly isRetry: boolean },
): Promise<DecideResult> {
  const { runId, answers, continuation } = newDecisions;
  await lockThread(tx, s, { owner: continuation.principal, id: continuation.threadId });
  const row = await findDecided(tx, s, runId);
  if (!row) return { outcome: 'closed' };
  const next = row.next_id === null ? undefined : { id: row.next_id, resumeOf: row.next_resume_of };
  const run = parseRun(row);
  const effect = applyDecisions({ runId, answers }, { inputs: run.inputs, next });
  switch (effect.outcome) {
    case 'closed':
      if (effect.lapsed)
        await tx.query(`UPDATE ${s}.runs SET awaiting_until = NULL WHERE ordinal = $1`, [row.ordinal]);
      return { outcome: 'closed' };
    case 'continued': {
      const [continuedBy] = await tx.query<RunRow>(`SELECT * FROM ${s}.runs WHERE id = $1`, [next?.id]);
      return { outcome: 'answered', run, continuedBy: parseRun(continuedBy as RunRow) };
    }
    case 'noted':
      break;
    default:
      return effect;
  }
  const { inputs, awaitingUntil = null } = effect;
  await tx.query(`UPDATE ${s}.runs SET approvals = $2, awaiting_until = $3 WHERE ordinal = $1`, [
    row.ordinal,
    JSON.stringify(inputs),
    awaitingUntil,
  ]);
  const result = { outcome: 'answered', run: { ...run, inputs } } as const;
  if (!effect.isComplete) return result;
  const created = await createRun(tx, s, { run: continuation, epoch: 0, isRetry });
  // The whole step is undone with it.
  if (created.outcome !== 'created')
    throw new Error(`Run ${runId} could not be continued: ${created.outcome}.`);
  return { ...result, continuedBy: created.run };
}

interface DecidedRow extends RunRow {
  readonly next_id: string | null;
  readonly next_resume_of: string | null;
}

/** Returns the run, and the one right after it in its thread. */
async function findDecided(tx: Statements, s: string, runId: string): Promise<DecidedRow | undefined> {
  const [row] = await tx.query<DecidedRow>(
    `SELECT runs.*, next.id AS next_id, next.resume_of AS next_resume_of
     FROM ${s}.runs LEFT JOIN LATERAL (
       SELECT id, resume_of FROM ${s}.runs AS later
       WHERE later.thread_id = runs.thread_id AND later.ordinal > runs.ordinal ORDER BY ordinal LIMIT 1) AS next ON true
     WHERE runs.id = $1`,
    [runId],
  );
  return row;
}
