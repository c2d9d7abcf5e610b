import type { RunnableConfig } from '@langchain/core/runnables';
import {
  MemorySaver,
  type Checkpoint,
  type CheckpointListOptions,
  type CheckpointMetadata,
  type CheckpointTuple,
  type PendingWrite,
} from '@langchain/langgraph-checkpoint';
import { CheckpointFencedError, getFence } from '../../agents/langgraph/checkpoint-fence.js';
import type { MemoryRecords } from './memory-records.js';

/**
 * LangGraph's own saver in memory, closed to owners that were replaced. Keeps every checkpoint.
 *
 * The saver serializes between the call and the change, and the run may get another owner meanwhile. So everything takes its
 * turn: a read after that, the new owner's first of all, sees what had passed the fence before, and nothing comes later.
 */
export class MemoryCheckpointer extends MemorySaver {
  private lastTurn: Promise<unknown> = Promise.resolve();

  constructor(private readonly records: MemoryRecords) {
    super();
  }

  override getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    return this.inTurn(() => super.getTuple(config));
  }

  override async *list(
    config: RunnableConfig,
    options?: CheckpointListOptions,
  ): AsyncGenerator<CheckpointTuple> {
    await this.inTurn(async () => undefined);
    yield* super.list(config, options);
  }

  override put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
  ): Promise<RunnableConfig> {
    return this.inTurn(() => {
      this.refuseFenced(config);
      return super.put(config, checkpoint, metadata);
    });
  }

  override putWrites(
    config: RunnableConfig,
    writes: PendingWrite[],
    taskId: string,
    taskPath?: string,
  ): Promise<void> {
    return this.inTurn(() => {
      this.refuseFenced(config);
      return super.putWrites(config, writes, taskId, taskPath);
    });
  }

  override deleteThread(threadId: string): Promise<void> {
    return this.inTurn(() => super.deleteThread(threadId));
  }

  override getDeltaChannelHistory(
    options: Parameters<MemorySaver['getDeltaChannelHistory']>[0],
  ): ReturnType<MemorySaver['getDeltaChannelHistory']> {
    return this.inTurn(() => super.getDeltaChannelHistory(options));
  }

  private inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const turn = this.lastTurn.then(act);
    this.lastTurn = turn.catch(() => undefined);
    return turn;
  }

  private refuseFenced(config: RunnableConfig): void {
    const fence = getFence(config);
    if (fence && !this.records.owned(fence)) throw new CheckpointFencedError(fence);
  }
}
