/**
 * Number of a thread's newest runs whose last checkpoint remains, so that the thread can be continued there. Each holds the conversation up to
 * its run: without a limit, the bytes of a thread would grow with the square of its length.
 */
export const KEPT_RUNS = 100;

/** Bytes of a thread's states by default. Beyond them the oldest go, however few runs they are of. */
export const DEFAULT_STATES_MAX_BYTES = 16 * 1024 ** 2;

/**
 * Number of a graph's newest checkpoints that remain when a run saves one that keeps each of its states. Those of graphs inside it go as they would anyway: nothing
 * reads them once the step is over.
 */
export const KEPT_STATES = 1_000;

/** Limits of the checkpoints that a namespace keeps. They are applied when one is saved. */
export interface CheckpointKeeping {
  /** Number of the newest that remain in any case. */
  readonly keep: number;
  /** Number of the newest that remain as long as there is room. */
  readonly states: number;
  /** The bytes that all may take, with their values and writes. */
  readonly maxBytes: number;
}
