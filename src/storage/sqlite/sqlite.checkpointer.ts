import type { RunnableConfig } from '@langchain/core/runnables';
import {
  BaseCheckpointSaver,
  TASKS,
  WRITES_IDX_MAP,
  copyCheckpoint,
  getCheckpointId,
  maxChannelVersion,
  type Checkpoint,
  type CheckpointListOptions,
  type CheckpointMetadata,
  type CheckpointPendingWrite,
  type CheckpointTuple,
  type ChannelVersions,
  type PendingWrite,
} from '@langchain/langgraph-checkpoint';
import {
  CheckpointFencedError,
  getFence,
  type CheckpointFence,
} from '../../agents/langgraph/checkpoint-fence.js';
import { parseOrigin } from './checkpoint-namespace.js';
import { keepsStates, type CheckpointHistory } from '../../agents/langgraph/checkpoint-history.js';
import { readRunId } from '../../agents/langgraph/checkpoint-run.js';
import { toCheckpointKey, required } from '../../agents/langgraph/checkpoint-key.js';
import { KEPT_STATES, type CheckpointKeeping } from '../checkpoint-keeping.js';
import { nextVersion } from '../checkpoint-versions.js';
import type { SqliteClient } from './sqlite.client.js';
import type {
  CheckpointName,
  NewCheckpoint,
  NewWrites,
  Serialized,
  StoredCheckpoint,
  ValueRow,
  WriteRow,
} from './worker/checkpoint-rows.js';

/**
 * LangGraph's checkpoints in the database of the logs. What is saved in the turn of the event loop in which events are
 * appended commits together with them.
 *
 * A channel's value is stored once, by its version. The channel that matters, the messages, still has a new and longer value
 * in every step, so keeping them all costs bytes in the square of a thread's length. A graph continues from its newest
 * checkpoint only, where open interrupts are stored too; so of each namespace the newest remain and older ones go when a
 * newer one is saved.
 */
export class SqliteCheckpointer extends BaseCheckpointSaver implements CheckpointHistory {
  /**
   * @param keep how many checkpoints of a namespace remain, at least 1. The one before the newest is worth its bytes: `getState`
   *   names it as parent, and a reader that has just looked up the newest still finds it. `all` allows time travel.
   * @param statesMaxBytes as in `SqliteStorageOptions`
   */
  constructor(
    private readonly client: SqliteClient,
    readonly keep: number | 'all',
    private readonly statesMaxBytes: number,
  ) {
    super();
  }

  async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const { threadId, namespace } = toCheckpointKey(config);
    if (threadId === undefined) return undefined;
    const checkpointId = getCheckpointId(config) || undefined;
    const name = { threadId, namespace, ...(checkpointId !== undefined && { checkpointId }) };
    const stored = await this.client.call('getCheckpoint', name);
    return stored && this.toTuple(stored);
  }

  async *list(config: RunnableConfig, options: CheckpointListOptions = {}): AsyncGenerator<CheckpointTuple> {
    const { filter, limit = Infinity } = options;
    const wanted = Object.entries(filter ?? {});
    const configurable = config.configurable ?? {};
    const rows = await this.client.call('listCheckpoints', {
      threadId: (configurable['thread_id'] as string | undefined) ?? null,
      namespace: (configurable['checkpoint_ns'] as string | undefined) ?? null,
      checkpointId: getCheckpointId(config) || null,
      before: (options.before && getCheckpointId(options.before)) || null,
      // Metadata is the serializer's, not the database's: with a filter, the limit counts what passes it.
      limit: wanted.length === 0 && Number.isFinite(limit) ? limit : -1,
    });
    let yielded = 0;
    for (const row of rows) {
      if (yielded >= limit) return;
      const metadata = (await this.serde.loadsTyped(row.metadata_type, row.metadata)) as Record<
        string,
        unknown
      >;
      if (!wanted.every(([key, value]) => metadata[key] === value)) continue;
      const tuple = await this.getTuple(toConfig(toCheckpointName(row)));
      // It may have been pruned since.
      if (!tuple) continue;
      yielded += 1;
      yield tuple;
    }
  }

  async put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    newVersions: ChannelVersions,
  ): Promise<RunnableConfig> {
    const { threadId, namespace } = toCheckpointKey(config);
    const name = { threadId: required(threadId, 'thread_id'), namespace, checkpointId: checkpoint.id };
    const fence = getFence(config);
    const parentId = getCheckpointId(config) || null;
    const stored = await this.client.call(
      'putCheckpoint',
      this.newCheckpoint(name, {
        parentId,
        checkpoint,
        metadata,
        newVersions,
        fence,
        keepsStates: namespace === '' && keepsStates(config),
      }),
    );
    if (!stored && fence) throw new CheckpointFencedError(fence);
    return toConfig(name);
  }

  async putWrites(
    config: RunnableConfig,
    writes: PendingWrite[],
    taskId: string,
    taskPath = '',
  ): Promise<void> {
    const { threadId, namespace } = toCheckpointKey(config);
    const name = {
      threadId: required(threadId, 'thread_id'),
      namespace,
      checkpointId: required(getCheckpointId(config) || undefined, 'checkpoint_id'),
    };
    const fence = getFence(config);
    const stored = await this.client.call(
      'putWrites',
      this.newWrites({ ...name, taskId, taskPath, fence }, writes),
    );
    if (!stored && fence) throw new CheckpointFencedError(fence);
  }

  async deleteThread(threadId: string): Promise<void> {
    await this.client.call('deleteCheckpoints', threadId);
  }

  override getNextVersion(current: number | undefined): number {
    return nextVersion(current);
  }

  private async newCheckpoint(
    name: CheckpointName,
    facts: {
      readonly parentId: string | null;
      readonly checkpoint: Checkpoint;
      readonly metadata: CheckpointMetadata;
      readonly newVersions: ChannelVersions;
      readonly fence: CheckpointFence | undefined;
      readonly keepsStates: boolean;
    },
  ): Promise<NewCheckpoint> {
    const { parentId, metadata, newVersions, fence, keepsStates } = facts;
    const { channel_values: values, ...rest } = copyCheckpoint(facts.checkpoint);
    const channels = Object.entries(rest.channel_versions)
      .filter(([channel]) => Object.hasOwn(values, channel) && values[channel] !== undefined)
      .map(([channel, version]) => ({ channel, version: String(version) }));
    const written = channels.filter(({ channel }) => Object.hasOwn(newVersions, channel));
    return {
      ...name,
      parentId,
      runId: readRunId(metadata) ?? null,
      channels,
      origin: parseOrigin(name.namespace, metadata),
      fence,
      keeping: this.chooseKeeping(metadata, keepsStates),
      checkpoint: await this.serialize(rest),
      metadata: await this.serialize(metadata),
      values: await Promise.all(
        written.map(async (named) => ({ ...named, value: await this.serialize(values[named.channel]) })),
      ),
    };
  }

  /** A checkpoint that holds only what has changed is nothing without its ancestors, and does not grow as others do. */
  private chooseKeeping(
    { counters_since_delta_snapshot: deltas }: CheckpointMetadata,
    keepsStates: boolean,
  ): CheckpointKeeping | undefined {
    const madeOfDeltas = deltas !== undefined && Object.keys(deltas).length > 0;
    if (this.keep === 'all' || madeOfDeltas) return undefined;
    return { keep: this.keep, states: keepsStates ? KEPT_STATES : 0, maxBytes: this.statesMaxBytes };
  }

  private async newWrites(
    facts: Omit<NewWrites, 'writes'>,
    writes: readonly PendingWrite[],
  ): Promise<NewWrites> {
    const serialized = await Promise.all(
      writes.map(async ([channel, value], index) => ({
        idx: WRITES_IDX_MAP[channel] ?? index,
        channel,
        value: await this.serialize(value),
      })),
    );
    return { ...facts, writes: serialized };
  }

  // The bytes are copied to the worker, not transferred: a value that is bytes already comes back from the serializer as
  // itself, and a transfer would take it from the graph.
  private async serialize(value: unknown): Promise<Serialized> {
    const [type, bytes] = await this.serde.dumpsTyped(value);
    return { type, bytes };
  }

  private async toTuple({ row, values, writes }: StoredCheckpoint): Promise<CheckpointTuple> {
    const name = toCheckpointName(row);
    const [checkpoint, metadata, pendingWrites] = await Promise.all([
      this.toCheckpoint(row, values),
      this.serde.loadsTyped(row.metadata_type, row.metadata) as Promise<CheckpointMetadata>,
      this.toPendingWrites(writes),
    ]);
    const parent = row.parent_id === null ? undefined : { ...name, checkpointId: row.parent_id };
    // Before version 4 what a step sent to the next was stored only with the step's checkpoint.
    if (parent && checkpoint.v < 4) await this.addSends(checkpoint, parent);
    return {
      config: toConfig(name),
      checkpoint,
      metadata,
      pendingWrites,
      ...(parent && { parentConfig: toConfig(parent) }),
    };
  }

  private async toCheckpoint(row: StoredCheckpoint['row'], values: readonly ValueRow[]): Promise<Checkpoint> {
    const [rest, ...entries] = await Promise.all([
      this.serde.loadsTyped(row.checkpoint_type, row.checkpoint) as Promise<Checkpoint>,
      ...values.map(
        async ({ channel, type, value }) => [channel, await this.serde.loadsTyped(type, value)] as const,
      ),
    ]);
    return { ...rest, channel_values: Object.fromEntries(entries) };
  }

  private async toPendingWrites(rows: readonly WriteRow[]): Promise<CheckpointPendingWrite[]> {
    return Promise.all(
      rows.map(async ({ task_id, channel, type, value }): Promise<CheckpointPendingWrite> => [
        task_id,
        channel,
        await this.serde.loadsTyped(type, value),
      ]),
    );
  }

  private async addSends(checkpoint: Checkpoint, parent: CheckpointName): Promise<void> {
    const writes = await this.toPendingWrites(await this.client.call('getWrites', parent));
    const sends = writes.filter(([, channel]) => channel === TASKS).map(([, , value]) => value);
    const versions = Object.values(checkpoint.channel_versions);
    checkpoint.channel_values = { ...checkpoint.channel_values, [TASKS]: sends };
    checkpoint.channel_versions = {
      ...checkpoint.channel_versions,
      [TASKS]: versions.length > 0 ? maxChannelVersion(...versions) : this.getNextVersion(undefined),
    };
  }
}

function toCheckpointName(row: {
  thread_id: string;
  namespace: string;
  checkpoint_id: string;
}): CheckpointName {
  return { threadId: row.thread_id, namespace: row.namespace, checkpointId: row.checkpoint_id };
}

function toConfig({ threadId, namespace, checkpointId }: CheckpointName): RunnableConfig {
  return { configurable: { thread_id: threadId, checkpoint_ns: namespace, checkpoint_id: checkpointId } };
}
