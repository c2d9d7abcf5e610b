import { expiryOf, isDecided, withAnswers } from '../../events/approval.js';
import type { AnswerResult, NewAnswers } from '../../runs/run.store.js';
import type { Statements } from './postgres.database.js';
import { runOf, type RunRow } from './postgres.rows.js';
import { createRun, lockThread } from './run.creation.js';

/**
 * Notes what people have decided, and stores the continuing run with the last missing answer. Answers and starts in the same thread
 * go one after the other, so an answer comes before what would close it or after, and two last answers make one run.
 *
 * @param again this was tried before and nobody knows how that ended: what it has stored then is found like any earlier answer
 */
export async function answerRun(
  tx: Statements,
  s: string,
  { given, again }: { readonly given: NewAnswers; readonly again: boolean },
): Promise<AnswerResult> {
  const { runId, answers, continuation } = given;
  const { threadId } = continuation;
  await lockThread(tx, s, threadId);
  const run = await rowOf(tx, s, runId);
  if (!run?.approvals) return { outcome: 'closed' };
  const answered = withAnswers(runOf(run).approvals ?? [], answers);
  if (answered.outcome !== 'answered') return answered;

  const [earlier] = await tx.query<RunRow>(
    `SELECT * FROM ${s}.runs WHERE thread_id = $1 AND resume_of = $2`,
    [threadId, runId],
  );
  if (earlier) return { outcome: 'answered', run: runOf(run), continuedBy: runOf(earlier) };
  const later = await tx.query(`SELECT 1 FROM ${s}.runs WHERE thread_id = $1 AND ordinal > $2 LIMIT 1`, [
    threadId,
    run.ordinal,
  ]);
  if (later.length > 0) {
    await tx.query(`UPDATE ${s}.runs SET awaiting_until = NULL WHERE ordinal = $1`, [run.ordinal]);
    return { outcome: 'closed' };
  }
  const { approvals } = answered;
  const [noted] = await tx.query<RunRow>(
    `UPDATE ${s}.runs SET approvals = $2, awaiting_until = $3 WHERE ordinal = $1 RETURNING *`,
    [run.ordinal, JSON.stringify(approvals), expiryOf(approvals) ?? null],
  );
  const result = { outcome: 'answered', run: runOf(noted as RunRow) } as const;
  if (!isDecided(approvals)) return result;
  const created = await createRun(tx, s, { run: continuation, epoch: 0, again });
  // The whole step is undone with it.
  if (created.outcome !== 'created')
    throw new Error(`Run ${runId} could not be continued: ${created.outcome}.`);
  return { ...result, continuedBy: created.run };
}

async function rowOf(tx: Statements, s: string, runId: string): Promise<RunRow | undefined> {
  const [row] = await tx.query<RunRow>(`SELECT * FROM ${s}.runs WHERE id = $1`, [runId]);
  return row;
}
