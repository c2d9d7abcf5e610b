import type { DatabaseSync } from 'node:sqlite';
import type { CheckpointFence } from '../../../agents/langgraph/checkpoint-fence.js';
import type { TailCache } from './tail.cache.js';
import { pruningOn } from './checkpoint-pruning.ts';
import {
  CHECKPOINTS_BY_NAME,
  type CheckpointName,
  type CheckpointQuery,
  type CheckpointRow,
  type ListedCheckpoint,
  type NewCheckpoint,
  type NewWrites,
  type StoredCheckpoint,
  type ValueRow,
  type WriteRow,
} from './checkpoint-rows.ts';

/** LangGraph's checkpoints. A channel's value is stored once, by its version, however many checkpoints have it. */
export function checkpointOperations(db: DatabaseSync, tails: TailCache) {
  const pruning = pruningOn(db);
  const insert = db.prepare(`
    INSERT OR REPLACE INTO checkpoints (
      thread_id, namespace, checkpoint_id, parent_id, origin_namespace, origin_id, channels,
      metadata_type, metadata, checkpoint_type, checkpoint, run_id)
    VALUES (
      :threadId, :namespace, :checkpointId, :parentId, :originNamespace, :originId, :channels,
      :metadataType, :metadata, :checkpointType, :checkpoint, :runId)`);
  const insertValue = db.prepare(`
    INSERT OR REPLACE INTO checkpoint_values (thread_id, namespace, channel, version, type, value)
    VALUES (?, ?, ?, ?, ?, ?)`);
  const insertWrite = (conflict: 'IGNORE' | 'REPLACE') =>
    db.prepare(`
      INSERT OR ${conflict} INTO checkpoint_writes (
        thread_id, namespace, checkpoint_id, task_id, idx, task_path, channel, type, value)
      VALUES (:threadId, :namespace, :checkpointId, :taskId, :idx, :taskPath, :channel, :type, :bytes)`);
  const addWrite = insertWrite('IGNORE');
  const replaceWrite = insertWrite('REPLACE');
  const latest = db.prepare(
    `SELECT * FROM ${CHECKPOINTS_BY_NAME} WHERE thread_id = ? AND namespace = ? ORDER BY checkpoint_id DESC LIMIT 1`,
  );
  const byName = db.prepare(
    `SELECT * FROM ${CHECKPOINTS_BY_NAME} WHERE thread_id = ? AND namespace = ? AND checkpoint_id = ?`,
  );
  const selectValues = db.prepare(`
    SELECT stored.channel, stored.type, stored.value
    FROM json_each(:channels) AS named CROSS JOIN checkpoint_values AS stored
    WHERE stored.thread_id = :threadId AND stored.namespace = :namespace
      AND stored.channel = json_extract(named.value, '$[0]') AND stored.version = json_extract(named.value, '$[1]')`);
  // Text compares byte by byte here, and UTF-8 sorts as its code points do: the order that LangGraph asks for.
  const selectWrites = db.prepare(`
    SELECT task_id, channel, type, value FROM checkpoint_writes
    WHERE thread_id = ? AND namespace = ? AND checkpoint_id = ? ORDER BY task_path, task_id, idx`);

  const mayWrite = (fence: CheckpointFence | undefined) =>
    !fence || tails.get(fence.runId)?.epoch === fence.epoch;

  return {
    /** False when the fence refuses it. */
    putCheckpoint(input: NewCheckpoint): boolean {
      const { threadId, namespace, checkpointId, parentId, checkpoint, metadata, origin, fence, keeping } =
        input;
      if (!mayWrite(fence)) return false;
      for (const { channel, version, value } of input.values) {
        insertValue.run(threadId, namespace, channel, version, value.type, value.bytes);
      }
      insert.run({
        threadId,
        namespace,
        checkpointId,
        parentId,
        originNamespace: origin?.namespace ?? null,
        originId: origin?.checkpointId ?? null,
        // Pairs rather than an object: SQLite gives the keys of an object back with their escapes.
        channels: JSON.stringify(input.channels.map(({ channel, version }) => [channel, version])),
        metadataType: metadata.type,
        metadata: metadata.bytes,
        checkpointType: checkpoint.type,
        checkpoint: checkpoint.bytes,
        runId: input.runId,
      });
      if (keeping) pruning.prune({ threadId, namespace, checkpointId }, keeping);
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
    getCheckpoint(
      name: Omit<CheckpointName, 'checkpointId'> & { readonly checkpointId?: string },
    ): StoredCheckpoint | undefined {
      const { threadId, namespace, checkpointId } = name;
      const row = (
        checkpointId === undefined
          ? latest.get(threadId, namespace)
          : byName.get(threadId, namespace, checkpointId)
      ) as (CheckpointRow & { readonly channels: string }) | undefined;
      if (!row) return undefined;
      const values = selectValues.all({
        threadId,
        namespace,
        channels: row.channels,
      }) as unknown as ValueRow[];
      const writes = selectWrites.all(threadId, namespace, row.checkpoint_id) as unknown as WriteRow[];
      return { row, values, writes };
    },

    getWrites({ threadId, namespace, checkpointId }: CheckpointName): WriteRow[] {
      return selectWrites.all(threadId, namespace, checkpointId) as unknown as WriteRow[];
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
      pruning.deleteAll(threadId);
    },
  };
}
