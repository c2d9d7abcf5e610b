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
import { withRunId } from './checkpoint-run.js';
import { toCheckpointKey } from './checkpoint-key.js';
import { getActiveRun, type ActiveRun } from './active-run.js';
import { withoutTakenAnswers } from './graph-interrupts.js';
import { saveWrites } from './run-checkpoints.js';

/**
 * The checkpointer of a graph: it uses the storage's, except for runs that the graph works for. Those have {@link RunCheckpoints} of
 * their own, which say what is stored of a run and when.
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
    const active = getActiveRun(config);
    active?.messagesNumbered(checkpoint.channel_values['messages']);
    if (active) {
      const put = { config, checkpoint, metadata: withRunId(metadata, active.run.runId), newVersions };
      const isRoot = toCheckpointKey(config).namespace === '';
      return active.checkpoints.put({ ...put, ...(isRoot && { tell: () => active.stateReached(put) }) });
    }
    return this.storage.put(config, checkpoint, metadata, newVersions);
  }

  override putWrites(
    config: RunnableConfig,
    writes: PendingWrite[],
    taskId: string,
    taskPath?: string,
  ): Promise<void> {
    const active = getActiveRun(config);
    if (active) return active.checkpoints.putWrites({ config, writes, taskId, taskPath });
    return saveWrites(this.storage, { config, writes, taskId, taskPath });
  }

  override async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const active = getActiveRun(config);
    if (!active) return this.storage.getTuple(config);
    if (asksForNewest(config)) return forRun(active, await active.checkpoints.newest(config));
    await active.checkpoints.store();
    return forRun(active, await this.storage.getTuple(config));
  }

  override async *list(
    config: RunnableConfig,
    options?: CheckpointListOptions,
  ): AsyncGenerator<CheckpointTuple> {
    await getActiveRun(config)?.checkpoints.store();
    yield* this.storage.list(config, options);
  }

  override deleteThread(threadId: string): Promise<void> {
    return this.storage.deleteThread(threadId);
  }

  override getNextVersion(current: number | undefined): number {
    return this.storage.getNextVersion(current);
  }
}

function forRun({ run }: ActiveRun, tuple: CheckpointTuple | undefined): CheckpointTuple | undefined {
  return tuple && run.decisions.size > 0 ? withoutTakenAnswers(tuple, run.decisions) : tuple;
}

/** Of the graph itself, not of a subgraph in it. */
function asksForNewest(config: RunnableConfig): boolean {
  return toCheckpointKey(config).namespace === '' && !config.configurable?.['checkpoint_id'];
}
