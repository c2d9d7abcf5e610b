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
import { placeOf } from '../../storage/checkpoint.place.js';
import { activeRunOf } from './active-run.js';
import { saveWrites } from './run.checkpoints.js';

/**
 * What a graph has for a checkpointer: the storage's, but for the runs that the graph works for. Those have
 * {@link RunCheckpoints} of their own, which say what is stored of a run and when.
 */
export class RunCheckpointer extends BaseCheckpointSaver {
  constructor(private readonly storage: BaseCheckpointSaver) {
    super(storage.serde);
  }

  override put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    newVersions: ChannelVersions,
  ): Promise<RunnableConfig> {
    const active = activeRunOf(config);
    if (active) return active.checkpoints.put({ config, checkpoint, metadata, newVersions });
    return this.storage.put(config, checkpoint, metadata, newVersions);
  }

  override putWrites(
    config: RunnableConfig,
    writes: PendingWrite[],
    taskId: string,
    taskPath?: string,
  ): Promise<void> {
    const active = activeRunOf(config);
    if (active) return active.checkpoints.putWrites({ config, writes, taskId, taskPath });
    return saveWrites(this.storage, { config, writes, taskId, taskPath });
  }

  override async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const active = activeRunOf(config);
    if (active && asksForNewest(config)) return active.checkpoints.newest(config);
    await active?.checkpoints.store();
    return this.storage.getTuple(config);
  }

  override async *list(
    config: RunnableConfig,
    options?: CheckpointListOptions,
  ): AsyncGenerator<CheckpointTuple> {
    await activeRunOf(config)?.checkpoints.store();
    yield* this.storage.list(config, options);
  }

  override deleteThread(threadId: string): Promise<void> {
    return this.storage.deleteThread(threadId);
  }

  override getNextVersion(current: number | undefined): number {
    return this.storage.getNextVersion(current);
  }
}

/** Of the graph itself, not of a subgraph in it. */
function asksForNewest(config: RunnableConfig): boolean {
  return placeOf(config).namespace === '' && !config.configurable?.['checkpoint_id'];
}
