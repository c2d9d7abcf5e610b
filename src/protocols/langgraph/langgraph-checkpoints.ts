import type { Run } from '../../runs/run.js';

/** A state of a thread: with a run's question, or with its question and answer. */
export interface MomentName {
  readonly run: Run;
  readonly answered: boolean;
}

const QUESTION = '-question';

/** Returns the id of the state among those of its thread. */
export function toCheckpointId({ run, answered }: MomentName): string {
  return answered ? run.id : toQuestionId(run.id);
}

/** Returns the id of the state with a run's question. */
export function toQuestionId(runId: string): string {
  return `${runId}${QUESTION}`;
}

/** Reads the run and the moment from the id of a state. */
export function parseCheckpointId(checkpointId: string): {
  readonly runId: string;
  readonly answered: boolean;
} {
  const answered = !checkpointId.endsWith(QUESTION);
  return { runId: answered ? checkpointId : checkpointId.slice(0, -QUESTION.length), answered };
}
