/** A checkpointer that says how many checkpoints of a namespace remain when a newer one is saved. */
export interface CheckpointKeeping {
  readonly keep: number | 'all';
}

/** True for one that is there to go back in time: what it is given nobody may leave out. */
export function keepsAll(checkpointer: object): boolean {
  return 'keep' in checkpointer && checkpointer.keep === 'all';
}
