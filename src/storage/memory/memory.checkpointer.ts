import type { RunnableConfig } from '@langchain/core/runnables';
import {
  MemorySaver,
  type Checkpoint,
  type CheckpointMetadata,
  type PendingWrite,
} from '@langchain/langgraph-checkpoint';
import { CheckpointFencedError, fenceOf } from '../checkpoint.fence.js';
import type { MemoryRecords } from './memory.records.js';

/** LangGraph's own saver in memory, closed to owners that were replaced. Keeps every checkpoint. */
export class MemoryCheckpointer extends MemorySaver {
  constructor(private readonly records: MemoryRecords) {
    super();
  }

  override async put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
  ): Promise<RunnableConfig> {
    this.refuseFenced(config);
    return super.put(config, checkpoint, metadata);
  }

  override async putWrites(
    config: RunnableConfig,
    writes: PendingWrite[],
    taskId: string,
    taskPath?: string,
  ): Promise<void> {
    this.refuseFenced(config);
    return super.putWrites(config, writes, taskId, taskPath);
  }

  private refuseFenced(config: RunnableConfig): void {
    const fence = fenceOf(config);
    if (fence && !this.records.owned(fence)) throw new CheckpointFencedError(fence);
  }
}
