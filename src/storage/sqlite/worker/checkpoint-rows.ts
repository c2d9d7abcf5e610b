import type { CheckpointFence } from '../../../agents/langgraph/checkpoint-fence.js';
import type { CheckpointKeeping } from '../../checkpoint-keeping.js';

/** Names one checkpoint. */
export interface CheckpointName {
  readonly threadId: string;
  readonly namespace: string;
  readonly checkpointId: string;
}

/**
 * The checkpoints, for a statement that is given a namespace. Another index has those of one namespace alone, so without this name SQLite would plan
 * the statement again whenever it is called: twenty times the work.
 */
export const CHECKPOINTS_BY_NAME = 'checkpoints INDEXED BY checkpoints_by_name';

/** A value as LangGraph's serializer wrote it. */
export interface Serialized {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** A channel's value, by the version that it was written with. */
export interface ChannelVersion {
  readonly channel: string;
  readonly version: string;
}

export interface NewCheckpoint extends CheckpointName {
  readonly parentId: string | null;
  /** The run that stores it. Null: none. */
  readonly runId: string | null;
  /** Without the values of its channels. */
  readonly checkpoint: Serialized;
  readonly metadata: Serialized;
  /** The channels that have a value in this checkpoint. */
  readonly channels: readonly ChannelVersion[];
  /** The values among them that no earlier checkpoint has stored. */
  readonly values: readonly (ChannelVersion & { readonly value: Serialized })[];
  /** For the checkpoint of a subgraph: the one whose task the subgraph works on. */
  readonly origin: { readonly namespace: string; readonly checkpointId: string } | undefined;
  readonly fence: CheckpointFence | undefined;
  /** Undefined: all checkpoints remain. */
  readonly keeping: CheckpointKeeping | undefined;
}

export interface NewWrites extends CheckpointName {
  readonly taskId: string;
  readonly taskPath: string;
  readonly writes: readonly { readonly idx: number; readonly channel: string; readonly value: Serialized }[];
  readonly fence: CheckpointFence | undefined;
}

export interface CheckpointRow {
  readonly thread_id: string;
  readonly namespace: string;
  readonly checkpoint_id: string;
  readonly parent_id: string | null;
  readonly checkpoint_type: string;
  readonly checkpoint: Uint8Array;
  readonly metadata_type: string;
  readonly metadata: Uint8Array;
}

export interface ValueRow {
  readonly channel: string;
  readonly type: string;
  readonly value: Uint8Array;
}

export interface WriteRow extends ValueRow {
  readonly task_id: string;
}

export interface StoredCheckpoint {
  readonly row: CheckpointRow;
  readonly values: readonly ValueRow[];
  readonly writes: readonly WriteRow[];
}

/** Null does not narrow the list. */
export interface CheckpointQuery {
  readonly threadId: string | null;
  readonly namespace: string | null;
  readonly checkpointId: string | null;
  /** Only checkpoints older than the one of this id. */
  readonly before: string | null;
  /** -1: no limit. */
  readonly limit: number;
}

export type ListedCheckpoint = Pick<
  CheckpointRow,
  'thread_id' | 'namespace' | 'checkpoint_id' | 'metadata_type' | 'metadata'
>;
