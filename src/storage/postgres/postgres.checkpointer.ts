import type { RunnableConfig } from '@langchain/core/runnables';
import {
  WRITES_IDX_MAP,
  type ChannelVersions,
  type Checkpoint,
  type CheckpointListOptions,
  type CheckpointMetadata,
  type CheckpointTuple,
  type PendingWrite,
} from '@langchain/langgraph-checkpoint';
import { PostgresSaver } from '@langchain/langgraph-checkpoint-postgres';
import type { Pool } from 'pg';
import {
  CheckpointFencedError,
  getFence,
  type CheckpointFence,
} from '../../agents/langgraph/checkpoint-fence.js';
import { keepsStates, type CheckpointHistory } from '../../agents/langgraph/checkpoint-history.js';
import { toCheckpointKey, required } from '../../agents/langgraph/checkpoint-key.js';
import { KEPT_STATES, type CheckpointKeeping } from '../checkpoint-keeping.js';
import { nextVersion } from '../checkpoint-versions.js';
import { pruneCheckpoints } from './checkpoint-pruning.js';
import { readPaths, sortByPath } from './checkpoint-order.js';
import { deleteCheckpoints } from './checkpoint-tables.js';
import type { PostgresDatabase, Statements } from './postgres.database.js';
import type { PostgresWriter, Store } from './postgres.writer.js';

/**
 * LangGraph's own saver and its tables, with three things more: what it stores goes through this process's writer, so that it
 * commits together with the events of the same turn; an owner that was replaced is refused, in that same transaction; and
 * older checkpoints go when a newer one is saved.
 */
export class PostgresCheckpointer extends PostgresSaver implements CheckpointHistory {
  private readonly s: string;

  readonly keep: number | 'all';
  private readonly maxBytes: number;

  /** @param keeping `keep`: how many checkpoints of a namespace remain, at least 1; `all` allows time travel */
  constructor(
    private readonly database: PostgresDatabase,
    private readonly writer: PostgresWriter,
    { keep, maxBytes }: { readonly keep: number | 'all'; readonly maxBytes: number },
  ) {
    super(readingPool(database), undefined, { schema: database.schema });
    this.keep = keep;
    this.maxBytes = maxBytes;
    this.s = database.schema;
  }

  override async put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    newVersions: ChannelVersions,
  ): Promise<RunnableConfig> {
    const { threadId, namespace } = toCheckpointKey(config);
    await this.store(config, this.prepareCheckpoint(config, checkpoint, { metadata, newVersions }));
    return { configurable: { thread_id: threadId, checkpoint_ns: namespace, checkpoint_id: checkpoint.id } };
  }

  override async putWrites(
    config: RunnableConfig,
    writes: PendingWrite[],
    taskId: string,
    taskPath = '',
  ): Promise<void> {
    await this.store(config, this.prepareWrites(config, writes, { taskId, taskPath }));
  }

  override async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    if (toCheckpointKey(config).threadId === undefined) return undefined;
    const tuple = await super.getTuple(config);
    return tuple && this.inOrder(tuple);
  }

  override async *list(
    config: RunnableConfig,
    options?: CheckpointListOptions,
  ): AsyncGenerator<CheckpointTuple> {
    for await (const tuple of super.list(config, options)) yield await this.inOrder(tuple);
  }

  override async deleteThread(threadId: string): Promise<void> {
    await this.writer.store(Promise.resolve((tx: Statements) => deleteCheckpoints(tx, this.s, threadId)));
  }

  /** Its own would call the next versions of two branches alike, and one branch would get the other's values. */
  override getNextVersion(current: number | undefined): number {
    return nextVersion(current);
  }

  /** @throws CheckpointFencedError when the run that the config names has another owner by now, or has ended */
  private async store(config: RunnableConfig, prepared: Promise<Store>): Promise<void> {
    const fence = getFence(config);
    const fenced = async (): Promise<Store<boolean>> => {
      const store = await prepared;
      return async (tx) => {
        if (fence && !(await this.owns(tx, fence))) return false;
        await store(tx);
        return true;
      };
    };
    const stored = await this.writer.store(fenced());
    if (!stored && fence) throw new CheckpointFencedError(fence);
  }

  /** Holds the run's row, so that it cannot be claimed before this transaction ends. */
  private async owns(tx: Statements, fence: CheckpointFence): Promise<boolean> {
    const rows = await tx.query(
      `SELECT 1 FROM ${this.s}.runs WHERE id = $1 AND epoch = $2 AND last_seq >= $3 AND ended_at IS NULL FOR SHARE`,
      [fence.runId, fence.epoch, this.writer.tails.get(fence)],
    );
    return rows.length > 0;
  }

  private async prepareCheckpoint(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    facts: { readonly metadata: CheckpointMetadata; readonly newVersions: ChannelVersions },
  ): Promise<Store> {
    const key = toCheckpointKey(config);
    const { namespace } = key;
    const threadId = required(key.threadId, 'thread_id');
    const parentId = (config.configurable?.['checkpoint_id'] as string | undefined) ?? null;
    const state = this._dumpCheckpoint(checkpoint);
    const [blobs, metadata] = await Promise.all([
      this._dumpBlobs(threadId, namespace, checkpoint.channel_values, facts.newVersions),
      this._dumpMetadata(facts.metadata),
    ]);
    const keeping = this.chooseKeeping(facts.metadata, namespace === '' && keepsStates(config));
    return async (tx) => {
      await tx.query(
        `WITH blobs AS (
           INSERT INTO ${this.s}.checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
           SELECT $1, $2, * FROM unnest($7::text[], $8::text[], $9::text[], $10::bytea[]) ON CONFLICT DO NOTHING)
         INSERT INTO ${this.s}.checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id)
         DO UPDATE SET checkpoint = excluded.checkpoint, metadata = excluded.metadata`,
        [
          threadId,
          namespace,
          checkpoint.id,
          parentId,
          state,
          metadata,
          blobs.map(([, , channel]) => channel),
          blobs.map(([, , , version]) => version),
          blobs.map(([, , , , type]) => type),
          blobs.map(([, , , , , blob]) => (blob ? Buffer.from(blob) : null)),
        ],
      );
      const saved = { threadId, namespace, checkpointId: checkpoint.id };
      if (keeping) await pruneCheckpoints(tx, this.s, saved, keeping);
    };
  }

  private async prepareWrites(
    config: RunnableConfig,
    writes: PendingWrite[],
    { taskId, taskPath }: { readonly taskId: string; readonly taskPath: string },
  ): Promise<Store> {
    const key = toCheckpointKey(config);
    const { namespace } = key;
    const threadId = required(key.threadId, 'thread_id');
    const checkpointId = required(
      config.configurable?.['checkpoint_id'] as string | undefined,
      'checkpoint_id',
    );
    const rows = await this._dumpWrites(threadId, namespace, checkpointId, taskId, writes);
    // A task's write is kept as it came first; its error, interrupt or resume as it came last.
    const replace = writes.every(([channel]) => channel in WRITES_IDX_MAP);
    const conflict = replace
      ? `(thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
         DO UPDATE SET channel = excluded.channel, type = excluded.type, blob = excluded.blob`
      : 'DO NOTHING';
    const name = [threadId, namespace, checkpointId, taskId];
    return async (tx) => {
      await tx.query(
        `INSERT INTO ${this.s}.checkpoint_writes (
           thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob)
         SELECT $1, $2, $3, $4, * FROM unnest($5::int[], $6::text[], $7::text[], $8::bytea[]) ON CONFLICT ${conflict}`,
        [
          ...name,
          rows.map(([, , , , idx]) => idx),
          rows.map(([, , , , , channel]) => channel),
          rows.map(([, , , , , , type]) => type),
          rows.map(([, , , , , , , blob]) => Buffer.from(blob)),
        ],
      );
      if (taskPath !== '') {
        await tx.query(
          `INSERT INTO ${this.s}.checkpoint_task_paths (thread_id, checkpoint_ns, checkpoint_id, task_id, path)
           VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
          [...name, taskPath],
        );
      }
    };
  }

  /** LangGraph asks for writes by task path, task and index. Its saver keeps no path. */
  private async inOrder(tuple: CheckpointTuple): Promise<CheckpointTuple> {
    const { pendingWrites = [] } = tuple;
    if (new Set(pendingWrites.map(([taskId]) => taskId)).size < 2) return tuple;
    const paths = await readPaths(this.database, this.s, tuple.config);
    return { ...tuple, pendingWrites: sortByPath(pendingWrites, paths) };
  }

  /** A checkpoint that holds only what has changed is nothing without its ancestors, and does not grow as others do. */
  private chooseKeeping(
    { counters_since_delta_snapshot: deltas }: CheckpointMetadata,
    keepsStates: boolean,
  ): CheckpointKeeping | undefined {
    const madeOfDeltas = deltas !== undefined && Object.keys(deltas).length > 0;
    if (this.keep === 'all' || madeOfDeltas) return undefined;
    return { keep: this.keep, states: keepsStates ? KEPT_STATES : 0, maxBytes: this.maxBytes };
  }
}

/** Returns the part of a pool that LangGraph's saver uses, as its writing methods are ours: single statements that only read. */
function readingPool(database: PostgresDatabase): Pool {
  const query = async (text: string, values?: unknown[]) => ({ rows: await database.query(text, values) });
  return { query } as unknown as Pool;
}
