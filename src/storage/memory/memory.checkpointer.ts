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
import { readRunId, withRunId } from '../../agents/langgraph/checkpoint-run.js';
import type { CopiedIds } from '../../runs/thread-copy.js';
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

  /** Deletes the checkpoints that these runs have stored. */
  deleteRuns(threadKey: string, runIds: readonly string[]): Promise<void> {
    return this.inTurn(async () => {
      for (const { namespace, id, metadata } of this.listStored(threadKey)) {
        if (!runIds.includes(readRunId(metadata) ?? '')) continue;
        const namespaces = this.storage[threadKey] ?? {};
        delete namespaces[namespace]?.[id];
        // LangGraph's saver takes one that is there for one that has a checkpoint.
        if (Object.keys(namespaces[namespace] ?? {}).length === 0) delete namespaces[namespace];
        delete this.writes[toWritesKey(threadKey, namespace, id)];
      }
    });
  }

  /** Copies the checkpoints of these runs to another thread, under the new ids of the runs. */
  copyThread(from: string, to: string, runIds: CopiedIds): Promise<void> {
    return this.inTurn(async () => {
      for (const { namespace, id, metadata } of this.listStored(from)) {
        const runId = readRunId(metadata);
        const copyId = runId === undefined ? undefined : runIds.get(runId);
        const stored = this.storage[from]?.[namespace]?.[id];
        if (!stored || (runId !== undefined && copyId === undefined)) continue;
        const [checkpoint, , parentId] = stored;
        const renamed = copyId === undefined ? metadata : withRunId(metadata, copyId);
        const copies = ((this.storage[to] ??= {})[namespace] ??= {});
        copies[id] = [checkpoint, new TextEncoder().encode(JSON.stringify(renamed)), parentId];
        const writes = this.writes[toWritesKey(from, namespace, id)];
        if (writes) this.writes[toWritesKey(to, namespace, id)] = { ...writes };
      }
    });
  }

  /** Bytes of a thread's checkpoints. */
  measure(threadKey: string): number {
    const namespaces = Object.values(this.storage[threadKey] ?? {});
    const stored = namespaces.flatMap((checkpoints) => Object.values(checkpoints));
    return stored.reduce((bytes, [checkpoint]) => bytes + checkpoint.byteLength, 0);
  }

  private listStored(threadKey: string) {
    return Object.entries(this.storage[threadKey] ?? {}).flatMap(([namespace, checkpoints]) =>
      Object.entries(checkpoints).map(([id, [, metadata]]) => ({
        namespace,
        id,
        metadata: JSON.parse(new TextDecoder().decode(metadata)) as CheckpointMetadata,
      })),
    );
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

/** Returns the key under which LangGraph's saver keeps the writes of a checkpoint. */
function toWritesKey(threadKey: string, namespace: string, checkpointId: string): string {
  return JSON.stringify([threadKey, namespace, checkpointId]);
}
