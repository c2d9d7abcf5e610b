import type { RunnableConfig } from '@langchain/core/runnables';

/** A checkpointer that says how many checkpoints of a namespace remain when a newer one is saved. */
export interface CheckpointHistory {
  readonly keep: number | 'all';
}

/** The key in a graph's `configurable` of a run that keeps each of its states. With two underscores, as that of the fence. */
export const KEEPS_STATES = '__keeps_states';

/** True if the run that a config belongs to keeps each of its states. */
export function keepsStates({ configurable }: RunnableConfig): boolean {
  return configurable?.[KEEPS_STATES] === true;
}

/** True if history is kept for time travel: every checkpoint must then be stored. */
export function keepsHistory(checkpointer: object): boolean {
  return 'keep' in checkpointer && checkpointer.keep === 'all';
}
