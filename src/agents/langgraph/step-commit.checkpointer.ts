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
import { activeRunOf, type ActiveRun } from './active-run.js';

/** Writes that say that a task has not finished: it failed, waits for a person, or was told how to go on. */
const UNFINISHED = new Set(['__error__', '__interrupt__', '__resume__', '__scheduled__']);

/**
 * The storage's checkpointer, with one thing more: the moment in which a task's result is stored is the moment in which
 * its step ends. Both go out in the same turn of the event loop, so that a storage that can commits them together: no step
 * is over in the log and unfinished in the checkpoint, nor the other way round.
 *
 * And one thing less: where a thread stands is asked twice before a run writes anything, to see what was said and to go on from
 * there. A long thread is read and decoded once.
 */
export class StepCommitCheckpointer extends BaseCheckpointSaver {
  private readonly standing = new WeakMap<ActiveRun, { readonly tuple: CheckpointTuple | undefined }>();

  constructor(private readonly storage: BaseCheckpointSaver) {
    super(storage.serde);
  }

  override putWrites(
    config: RunnableConfig,
    writes: PendingWrite[],
    taskId: string,
    taskPath?: string,
  ): Promise<void> {
    const active = this.beforeWriting(config);
    if (!writes.some(([channel]) => UNFINISHED.has(channel))) active?.stepFinished(taskId, writes);
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
    this.beforeWriting(config);
    return this.storage.put(config, checkpoint, metadata, newVersions);
  }

  override async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const active = activeRunOf(config);
    if (!active || !asksForNewest(config)) return this.storage.getTuple(config);
    const known = this.standing.get(active);
    if (known) {
      this.standing.delete(active);
      return known.tuple;
    }
    const tuple = await this.storage.getTuple(config);
    // With writes that are in no checkpoint yet, LangGraph works on the tuple itself, so that it is good for one reader only.
    if (!tuple?.pendingWrites?.length) this.standing.set(active, { tuple });
    return tuple;
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

  private beforeWriting(config: RunnableConfig): ActiveRun | undefined {
    const active = activeRunOf(config);
    if (active) this.standing.delete(active);
    return active;
  }
}

/** Of the graph itself, not of a subgraph in it. */
function asksForNewest({ configurable = {} }: RunnableConfig): boolean {
  return !configurable['checkpoint_ns'] && !configurable['checkpoint_id'];
}
