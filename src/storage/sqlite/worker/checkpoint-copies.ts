import type { DatabaseSync } from 'node:sqlite';
import type { CopiedIds } from '../../../runs/thread-copy.js';

interface CheckpointCopy {
  /** Keys of the threads. */
  readonly source: string;
  readonly key: string;
  readonly ids: CopiedIds;
}

/** Copies the states of threads. The caller gives each function its transaction. */
export function copyCheckpointsOn(db: DatabaseSync) {
  const measure = db.prepare(`
    SELECT coalesce((SELECT sum(length(value)) FROM checkpoint_values WHERE thread_id = :source), 0)
      + coalesce((SELECT sum(length(checkpoint)) FROM checkpoints WHERE thread_id = :source), 0)
      + coalesce((SELECT sum(length(value)) FROM checkpoint_writes WHERE thread_id = :source), 0) AS bytes`);
  // Those of runs that are not copied, because they have not ended, stay behind. So do the values that only they refer to: the next pruning removes them.
  const copyCheckpoints = db.prepare(`
    INSERT INTO checkpoints (
      thread_id, namespace, checkpoint_id, parent_id, origin_namespace, origin_id, channels,
      metadata_type, metadata, checkpoint_type, checkpoint, run_id)
    SELECT :key, namespace, checkpoint_id, parent_id, origin_namespace, origin_id, channels, metadata_type,
      CASE WHEN copied.value IS NULL OR metadata_type <> 'json' THEN metadata
        ELSE CAST(json_set(CAST(metadata AS TEXT), '$.run_id', copied.value) AS BLOB) END,
      checkpoint_type, checkpoint, copied.value
    FROM checkpoints LEFT JOIN json_each(:ids) AS copied ON copied.key = run_id
    WHERE thread_id = :source AND (run_id IS NULL OR copied.value IS NOT NULL)`);
  const copyWrites = db.prepare(`
    INSERT INTO checkpoint_writes (thread_id, namespace, checkpoint_id, task_id, idx, task_path, channel, type, value)
    SELECT :key, namespace, checkpoint_id, task_id, idx, task_path, channel, type, value FROM checkpoint_writes
    WHERE thread_id = :source AND EXISTS (
      SELECT 1 FROM checkpoints WHERE checkpoints.thread_id = :key AND checkpoints.namespace = checkpoint_writes.namespace
        AND checkpoints.checkpoint_id = checkpoint_writes.checkpoint_id)`);
  const copyValues = db.prepare(`
    INSERT INTO checkpoint_values (thread_id, namespace, channel, version, type, value)
    SELECT :key, namespace, channel, version, type, value FROM checkpoint_values WHERE thread_id = :source`);

  return {
    /** Bytes of the states of a thread. */
    measure(source: string): number {
      return Number(measure.get({ source })?.['bytes']);
    },

    copy({ source, key, ids }: CheckpointCopy): void {
      copyCheckpoints.run({ source, key, ids: JSON.stringify(Object.fromEntries(ids)) });
      copyWrites.run({ source, key });
      copyValues.run({ source, key });
    },
  };
}
