import type { DatabaseSync } from 'node:sqlite';
import { readInputs } from '../../../events/earlier-records.ts';
import type { RecordedDecision } from '../../../events/requested-input.js';
import { applyDecisions } from '../../../runs/decisions.ts';
import type { RunRow } from '../../run-rows.js';
import { RUN, type CreateRun, type RunOperations } from './run-operations.ts';

export interface DecideRun {
  readonly runId: string;
  readonly answers: Readonly<Record<string, RecordedDecision>>;
  readonly continuation: CreateRun;
}

export type DecidedRun =
  | { readonly outcome: 'answered'; readonly run: RunRow; readonly continuedBy?: RunRow }
  | { readonly outcome: 'unknown' | 'conflict'; readonly inputId: string }
  | { readonly outcome: 'closed' };

interface NextRun {
  readonly id: string;
  readonly resumeOf: string | null;
}

/** Stores decisions. Each function is one step; the caller gives it its transaction. */
export function inputOperations(db: DatabaseSync, runs: RunOperations) {
  const runAfter = db.prepare(
    'SELECT id, resume_of AS resumeOf FROM runs WHERE thread_id = :threadId AND ordinal > :ordinal ORDER BY ordinal LIMIT 1',
  );
  const note = db.prepare(
    'UPDATE runs SET approvals = :approvals, awaiting_until = :awaitingUntil WHERE ordinal = :ordinal',
  );
  const lapse = db.prepare('UPDATE runs SET awaiting_until = NULL WHERE ordinal = ?');
  const expired = db.prepare(
    `SELECT ${RUN} FROM runs WHERE awaiting_until <= :now ORDER BY awaiting_until LIMIT :limit`,
  );

  return {
    answerRun({ runId, answers, continuation }: DecideRun): DecidedRun {
      const run = runs.getRun(runId);
      if (!run) return { outcome: 'closed' };
      const { ordinal, thread_id: threadId } = run;
      const next = runAfter.get({ threadId, ordinal }) as NextRun | undefined;
      const inputs = run.approvals === null ? undefined : readInputs(run.approvals);
      const effect = applyDecisions({ runId, answers }, { inputs, next });
      switch (effect.outcome) {
        case 'closed':
          if (effect.lapsed) lapse.run(ordinal);
          return { outcome: 'closed' };
        case 'continued':
          return { outcome: 'answered', run, ...(next && { continuedBy: runs.getRun(next.id) as RunRow }) };
        case 'noted':
          break;
        default:
          return effect;
      }
      const noted = {
        approvals: JSON.stringify(effect.inputs),
        awaitingUntil: effect.awaitingUntil ?? null,
      };
      note.run({ ordinal, ...noted });
      const outcome = { outcome: 'answered', run: { ...run, approvals: noted.approvals } } as const;
      if (!effect.isComplete) return outcome;
      const created = runs.createRun(continuation);
      // The whole step is undone with it.
      if (created.outcome !== 'created')
        throw new Error(`Run ${runId} could not be continued: ${created.outcome}.`);
      return { ...outcome, continuedBy: runs.getRun(continuation.run.id) as RunRow };
    },

    listExpired(input: { readonly now: number; readonly limit: number }): RunRow[] {
      return expired.all({ ...input }) as unknown as RunRow[];
    },
  };
}
