import type { RunnableConfig } from '@langchain/core/runnables';
import {
  BaseCheckpointSaver,
  type ChannelVersions,
  type Checkpoint,
  type CheckpointListOptions,
  type CheckpointMetadata,
  type CheckpointTuple,
  type PendingWrite,
} from '@langchain/langgraph-checkpoint';
import { activeRunOf } from './active-run.js';

/** Writes that say that a task has not finished: it failed, waits for a person, or was told how to go on. */
const UNFINISHED = new Set(['__error__', '__interrupt__', '__resume__', '__scheduled__']);

/**
 * The storage's checkpointer, with one thing more: the moment in which a task's result is stored is the moment in which
 * its step ends. Both go out in the same turn of the event loop, so that a storage that can commits them together: no step
 * is over in the log and unfinished in the checkpoint, nor the other way round.
 */
export class StepCommitCheckpointer extends BaseCheckpointSaver {
  constructor(private readonly storage: BaseCheckpointSaver) {
    super(storage.serde);
  }

  override putWrites(
    config: RunnableConfig,
    writes: PendingWrite[],
    taskId: string,
    taskPath?: string,
  ): Promise<void> {
    if (!writes.some(([channel]) => UNFINISHED.has(channel)))
      activeRunOf(config)?.stepFinished(taskId, writes);
    // LangGraph's declaration has three parameters; the savers take, and the loop gives, the path as a fourth.
    const putWrites = this.storage.putWrites.bind(this.storage) as (...all: unknown[]) => Promise<void>;
    return putWrites(config, writes, taskId, taskPath);
  }

  override put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    newVersions: ChannelVersions,
  ): Promise<RunnableConfig> {
    return this.storage.put(config, checkpoint, metadata, newVersions);
  }

  override getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    return this.storage.getTuple(config);
  }

  override list(config: RunnableConfig, options?: CheckpointListOptions): AsyncGenerator<CheckpointTuple> {
    return this.storage.list(config, options);
  }

  override deleteThread(threadId: string): Promise<void> {
    return this.storage.deleteThread(threadId);
  }

  override getNextVersion(current: number | undefined): number {
    return this.storage.getNextVersion(current);
  }
}
