import type { DatabaseSync } from 'node:sqlite';
import type { CheckpointFence } from '../../checkpoint.fence.js';

/** Names one checkpoint. */
export interface CheckpointName {
  readonly threadId: string;
  readonly namespace: string;
  readonly checkpointId: string;
}

/** A value as LangGraph's serializer wrote it. */
export interface Serialized {
  readonly type: string;
  readonly bytes: Uint8Array;
}

export interface NewCheckpoint extends CheckpointName {
  readonly parentId: string | null;
  readonly checkpoint: Serialized;
  readonly metadata: Serialized;
  readonly fence: CheckpointFence | undefined;
  /** How many of the namespace's newest remain; undefined: all. */
  readonly keep: number | undefined;
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

export interface WriteRow {
  readonly task_id: string;
  readonly channel: string;
  readonly type: string;
  readonly value: Uint8Array;
}

export interface StoredCheckpoint {
  readonly row: CheckpointRow;
  readonly writes: WriteRow[];
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

export function checkpointOperations(db: DatabaseSync) {
  const owns = db.prepare('SELECT 1 FROM runs WHERE id = ? AND epoch = ? AND ended_at IS NULL');
  const insert = db.prepare(`
    INSERT OR REPLACE INTO checkpoints (
      thread_id, namespace, checkpoint_id, parent_id, checkpoint_type, checkpoint, metadata_type, metadata)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  const oldestKept = db.prepare(`
    SELECT checkpoint_id FROM checkpoints WHERE thread_id = ? AND namespace = ?
    ORDER BY checkpoint_id DESC LIMIT 1 OFFSET ?`);
  const pruneCheckpoints = db.prepare(
    'DELETE FROM checkpoints WHERE thread_id = ? AND namespace = ? AND checkpoint_id < ?',
  );
  const pruneWrites = db.prepare(
    'DELETE FROM checkpoint_writes WHERE thread_id = ? AND namespace = ? AND checkpoint_id < ?',
  );
  const insertWrite = (conflict: 'IGNORE' | 'REPLACE') =>
    db.prepare(`
      INSERT OR ${conflict} INTO checkpoint_writes (
        thread_id, namespace, checkpoint_id, task_id, idx, task_path, channel, type, value)
      VALUES (:threadId, :namespace, :checkpointId, :taskId, :idx, :taskPath, :channel, :type, :bytes)`);
  const addWrite = insertWrite('IGNORE');
  const replaceWrite = insertWrite('REPLACE');
  const latest = db.prepare(
    'SELECT * FROM checkpoints WHERE thread_id = ? AND namespace = ? ORDER BY checkpoint_id DESC LIMIT 1',
  );
  const byName = db.prepare(
    'SELECT * FROM checkpoints WHERE thread_id = ? AND namespace = ? AND checkpoint_id = ?',
  );
  // Text compares byte by byte here, and UTF-8 sorts as its code points do: the order that LangGraph asks for.
  const writesOf = db.prepare(`
    SELECT task_id, channel, type, value FROM checkpoint_writes
    WHERE thread_id = ? AND namespace = ? AND checkpoint_id = ? ORDER BY task_path, task_id, idx`);
  const deleteCheckpoints = db.prepare('DELETE FROM checkpoints WHERE thread_id = ?');
  const deleteWrites = db.prepare('DELETE FROM checkpoint_writes WHERE thread_id = ?');

  const mayWrite = (fence: CheckpointFence | undefined) =>
    !fence || owns.get(fence.runId, fence.epoch) !== undefined;

  return {
    /** False when the fence refuses it. */
    putCheckpoint(input: NewCheckpoint): boolean {
      const { threadId, namespace, checkpointId, parentId, checkpoint, metadata, fence, keep } = input;
      if (!mayWrite(fence)) return false;
      const state = [checkpoint.type, checkpoint.bytes, metadata.type, metadata.bytes] as const;
      insert.run(threadId, namespace, checkpointId, parentId, ...state);
      if (keep === undefined) return true;
      const oldest = oldestKept.get(threadId, namespace, keep - 1)?.['checkpoint_id'];
      if (oldest === undefined) return true;
      pruneCheckpoints.run(threadId, namespace, oldest);
      pruneWrites.run(threadId, namespace, oldest);
      return true;
    },

    /** False when the fence refuses them. A task's write is kept as it came first; its error, interrupt or resume as last. */
    putWrites(input: NewWrites): boolean {
      const { threadId, namespace, checkpointId, taskId, taskPath, writes, fence } = input;
      if (!mayWrite(fence)) return false;
      for (const { idx, channel, value } of writes) {
        const statement = idx < 0 ? replaceWrite : addWrite;
        const { type, bytes } = value;
        statement.run({ threadId, namespace, checkpointId, taskId, idx, taskPath, channel, type, bytes });
      }
      return true;
    },

    /** Without an id: the newest. */
    getCheckpoint(name: Omit<CheckpointName, 'checkpointId'> & { readonly checkpointId?: string }) {
      const { threadId, namespace, checkpointId } = name;
      const row = (
        checkpointId === undefined
          ? latest.get(threadId, namespace)
          : byName.get(threadId, namespace, checkpointId)
      ) as CheckpointRow | undefined;
      if (!row) return undefined;
      const writes = writesOf.all(threadId, namespace, row.checkpoint_id) as unknown as WriteRow[];
      return { row, writes } satisfies StoredCheckpoint;
    },

    getWrites({ threadId, namespace, checkpointId }: CheckpointName): WriteRow[] {
      return writesOf.all(threadId, namespace, checkpointId) as unknown as WriteRow[];
    },

    /** Newest first, without their states. */
    listCheckpoints({
      threadId,
      namespace,
      checkpointId,
      before,
      limit,
    }: CheckpointQuery): ListedCheckpoint[] {
      // Only what was asked is in the statement, so that the index serves it.
      const conditions = [
        { sql: 'thread_id = ?', value: threadId },
        { sql: 'namespace = ?', value: namespace },
        { sql: 'checkpoint_id = ?', value: checkpointId },
        { sql: 'checkpoint_id < ?', value: before },
      ].flatMap(({ sql, value }) => (value === null ? [] : [{ sql, value }]));
      const where = ['TRUE', ...conditions.map(({ sql }) => sql)].join(' AND ');
      const list = db.prepare(`
        SELECT thread_id, namespace, checkpoint_id, metadata_type, metadata FROM checkpoints
        WHERE ${where} ORDER BY checkpoint_id DESC LIMIT ?`);
      return list.all(...conditions.map(({ value }) => value), limit) as unknown as ListedCheckpoint[];
    },

    deleteCheckpoints(threadId: string): void {
      deleteCheckpoints.run(threadId);
      deleteWrites.run(threadId);
    },
  };
}
