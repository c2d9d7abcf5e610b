import type { RunnableConfig } from '@langchain/core/runnables';

/** The owner of a run that writes a checkpoint. With it a checkpointer refuses what an owner that was replaced still sends. */
export interface CheckpointFence {
  readonly runId: string;
  readonly epoch: number;
}

/**
 * The key of the fence in a graph's `configurable`. LangGraph hands it through to the checkpointer, and because of the two
 * underscores copies it neither into a checkpoint's metadata nor into traces.
 */
export const CHECKPOINT_FENCE = '__checkpoint_fence';

/** The fence that a config carries; undefined when its writes are not bound to a run. */
export function getFence(config: RunnableConfig): CheckpointFence | undefined {
  const fence = config.configurable?.[CHECKPOINT_FENCE] as CheckpointFence | undefined;
  // Its two fields only: what else the given object is may not survive the way to another thread.
  return fence && { runId: fence.runId, epoch: fence.epoch };
}

/** A checkpoint was refused: the run has ended, or has another owner by now. Its writer has to stop. */
export class CheckpointFencedError extends Error {
  override readonly name = 'CheckpointFencedError';

  constructor({ runId, epoch }: CheckpointFence) {
    super(`Run ${runId} has another owner or has ended: the checkpoint of its owner ${epoch} is refused.`);
  }
}
