/** A checkpointer that says how many checkpoints of a namespace remain when a newer one is saved. */
export interface CheckpointHistory {
  readonly keep: number | 'all';
}

/** True if history is kept for time travel: every checkpoint must then be stored. */
export function keepsHistory(checkpointer: object): boolean {
  return 'keep' in checkpointer && checkpointer.keep === 'all';
}
