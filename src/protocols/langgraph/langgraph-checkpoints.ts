import type { Run } from '../../runs/run.js';

/** A state of a thread: with a run's question, or with its question and answer. */
export interface MomentName {
  readonly run: Run;
  readonly answered: boolean;
  /** The id of a state that the run has kept on its way; absent: it has kept only these two. */
  readonly checkpointId?: string | undefined;
}

const QUESTION = '-question';

/** Divides a run's id from that of one of its states. */
const STATE = '@';

/** Returns the id of the state among those of its thread. */
export function toCheckpointId({ run, answered, checkpointId }: MomentName): string {
  const runId = getStateRunId(run);
  if (checkpointId !== undefined) return toStateId(runId, checkpointId);
  return answered ? runId : toQuestionId(runId);
}

/** Returns the id by which the states of a run name it: those of a copied thread are called as they were. */
export function getStateRunId({ id, copyOf }: Pick<Run, 'id' | 'copyOf'>): string {
  return copyOf ?? id;
}

/** Returns the run that a state names. */
export function findNamed<Named extends Pick<Run, 'id' | 'copyOf'>>(
  runs: readonly Named[],
  stateRunId: string,
): Named | undefined {
  return runs.find((run) => run.id === stateRunId || run.copyOf === stateRunId);
}

/** Returns the id of the state with a run's question. */
export function toQuestionId(runId: string): string {
  return `${runId}${QUESTION}`;
}

/** Returns the id of a state that a run has kept on its way. */
export function toStateId(runId: string, checkpointId: string): string {
  return `${runId}${STATE}${checkpointId}`;
}

/** Reads the run and the moment from the id of a state. */
export function parseCheckpointId(checkpointId: string): {
  readonly runId: string;
  readonly answered: boolean;
  readonly checkpointId?: string;
} {
  const [runId = '', state] = checkpointId.split(STATE, 2);
  if (state !== undefined) return { runId, answered: true, checkpointId: state };
  const answered = !checkpointId.endsWith(QUESTION);
  return { runId: answered ? checkpointId : checkpointId.slice(0, -QUESTION.length), answered };
}
