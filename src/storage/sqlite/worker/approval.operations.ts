import type { DatabaseSync } from 'node:sqlite';
import {
  expiryOf,
  isDecided,
  withAnswers,
  type Approval,
  type GivenAnswer,
} from '../../../events/approval.ts';
import { RUN, type CreateRun, type RunOperations, type RunRow } from './run.operations.ts';

export interface AnswerRun {
  readonly runId: string;
  readonly answers: Readonly<Record<string, GivenAnswer>>;
  readonly continuation: CreateRun;
}

export type AnsweredRun =
  | { readonly outcome: 'answered'; readonly run: RunRow; readonly continuedBy?: RunRow }
  | { readonly outcome: 'unknown' | 'conflict'; readonly approvalId: string }
  | { readonly outcome: 'closed' };

/** What people decide. Each function is one step; the caller gives it its transaction. */
export function approvalOperations(db: DatabaseSync, runs: RunOperations) {
  const continuationOf = db.prepare(
    `SELECT ${RUN} FROM runs WHERE thread_id = :threadId AND resume_of = :runId LIMIT 1`,
  );
  const laterRun = db.prepare(
    'SELECT 1 FROM runs WHERE thread_id = :threadId AND ordinal > :ordinal LIMIT 1',
  );
  const note = db.prepare(
    'UPDATE runs SET approvals = :approvals, awaiting_until = :awaitingUntil WHERE ordinal = :ordinal',
  );
  const waitNoMore = db.prepare('UPDATE runs SET awaiting_until = NULL WHERE ordinal = ?');
  const expired = db.prepare(
    `SELECT ${RUN} FROM runs WHERE awaiting_until <= :now ORDER BY awaiting_until LIMIT :limit`,
  );

  return {
    answerRun({ runId, answers, continuation }: AnswerRun): AnsweredRun {
      const run = runs.getRun(runId);
      if (!run?.approvals) return { outcome: 'closed' };
      const answered = withAnswers(JSON.parse(run.approvals) as Approval[], answers);
      if (answered.outcome !== 'answered') return answered;

      const { ordinal, thread_id: threadId } = run;
      const earlier = continuationOf.get({ threadId, runId }) as RunRow | undefined;
      if (earlier) return { outcome: 'answered', run, continuedBy: earlier };
      if (laterRun.get({ threadId, ordinal })) {
        waitNoMore.run(ordinal);
        return { outcome: 'closed' };
      }
      const { approvals } = answered;
      note.run({
        ordinal,
        approvals: JSON.stringify(approvals),
        awaitingUntil: expiryOf(approvals) ?? null,
      });
      const noted = runs.getRun(runId) as RunRow;
      if (!isDecided(approvals)) return { outcome: 'answered', run: noted };
      const created = runs.createRun(continuation);
      // The whole step is undone with it.
      if (created.outcome !== 'created')
        throw new Error(`Run ${runId} could not be continued: ${created.outcome}.`);
      const continuedBy = runs.getRun(continuation.run.id) as RunRow;
      return { outcome: 'answered', run: noted, continuedBy };
    },

    listExpired(input: { readonly now: number; readonly limit: number }): RunRow[] {
      return expired.all({ ...input }) as unknown as RunRow[];
    },
  };
}
