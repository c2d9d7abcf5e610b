import type { DatabaseSync } from 'node:sqlite';
import { newId } from '../../../runs/run-ids.ts';
import { copyParent } from '../../../runs/thread-copy.ts';
import { readParentColumn, toParentColumn } from '../../parent-column.ts';
import type { ThreadRow } from '../../run-rows.js';
import { copyCheckpointsOn } from './checkpoint-copies.ts';
import { LOG_BYTES } from './tail.cache.ts';
import { threadKeysOn, type ThreadName } from './thread-names.ts';
import { THREAD } from './thread-operations.ts';

export interface CopyThread {
  readonly name: ThreadName;
  readonly key: string;
  readonly maxRuns: number;
  readonly maxBytes: number;
  readonly maxOwnerBytes: number;
  readonly now: number;
}

export type CopiedThread =
  | { readonly outcome: 'copied'; readonly row: ThreadRow }
  | { readonly outcome: 'no-thread' | 'too-large' | 'full' };

interface SourceRow {
  readonly ordinal: number;
  readonly id: string;
  readonly resume_of: string | null;
  readonly parent_id: string | null;
  readonly bytes: number;
}

/** Columns of a run that its copy has as they are. */
const SAME = `agent, tenant, user_id, roles, message_id, status, epoch, lease_until, first_seq, cancel_requested, created_at, started_at,
  ended_at, compacted, error, usage, metadata, message, approvals, awaiting_until, kept_bytes, deaths, given, indexed`;

/** Copies threads. The function is one step; the caller gives it its transaction. */
export function threadCopyOperations(db: DatabaseSync) {
  const threadKeys = threadKeysOn(db);
  const checkpoints = copyCheckpointsOn(db);
  const byKey = db.prepare(`SELECT ${THREAD} FROM threads WHERE id = ?`);
  const runs = db.prepare(`
    SELECT ordinal, id, resume_of, parent_id, octet_length(message) + ${LOG_BYTES} AS bytes FROM runs
    WHERE thread_id = :key AND ended_at IS NOT NULL ORDER BY ordinal LIMIT :limit`);
  const fileBytes = db.prepare('SELECT coalesce(sum(bytes), 0) AS bytes FROM blobs WHERE thread_id = ?');
  const heldBytes = db.prepare(`
    SELECT coalesce(sum(bytes), 0) AS bytes FROM blobs INDEXED BY blobs_kept WHERE tenant = :tenant AND user_id = :userId`);
  const insertThread = db.prepare(`
    INSERT INTO threads (id, tenant, user_id, title, metadata, has_branches, created_at, updated_at, read_at, ttl_ms, ttl_at)
    SELECT :key, tenant, user_id, title, metadata, has_branches, :now, :now, :now, ttl_ms, :now FROM threads WHERE id = :source
    RETURNING ordinal`);
  const insertRun = db.prepare(`
    INSERT INTO runs (id, thread_id, copy_of, resume_of, parent_id, ${SAME})
    SELECT :id, :key, coalesce(copy_of, id), :resumeOf, :parentId, ${SAME} FROM runs WHERE ordinal = :source
    RETURNING ordinal`);
  const insertBatches = db.prepare(`
    INSERT INTO batches (run, first_seq, last_seq, epoch, frames)
    SELECT :ordinal, first_seq, last_seq, epoch, replace(frames, :from, :to) FROM batches WHERE run = :source ORDER BY last_seq`);
  const insertWords = db.prepare(
    'INSERT INTO run_words (rowid, words, answer) SELECT :ordinal, words, answer FROM run_words WHERE rowid = :source',
  );
  const insertFiles = db.prepare(`
    INSERT INTO blobs (tenant, user_id, id, thread_id, media_type, name, bytes, created_at, data, object)
    SELECT tenant, user_id, id, :key, media_type, name, bytes, created_at, data, object FROM blobs WHERE thread_id = :source`);
  const bytesOf = (row: Record<string, unknown> | undefined) => Number(row?.['bytes'] ?? 0);

  return {
    copyThread({ name, key, maxRuns, maxBytes, maxOwnerBytes, now }: CopyThread): CopiedThread {
      const copied = byKey.get(key) as ThreadRow | undefined;
      if (copied) return { outcome: 'copied', row: copied };
      const source = threadKeys(name);
      if (source === undefined) return { outcome: 'no-thread' };
      const rows = runs.all({ key: source, limit: maxRuns + 1 }) as unknown as SourceRow[];
      const files = bytesOf(fileBytes.get(source));
      const logs = rows.reduce((total, { bytes }) => total + bytes, 0);
      if (rows.length > maxRuns || logs + files + checkpoints.measure(source) > maxBytes)
        return { outcome: 'too-large' };
      const { tenant, userId } = name;
      if (files > 0 && bytesOf(heldBytes.get({ tenant, userId })) + files > maxOwnerBytes)
        return { outcome: 'full' };

      const ids = new Map(rows.map(({ id }) => [id, newId()]));
      const thread = insertThread.get({ key, source, now }) as { readonly ordinal: number };
      const before = db.prepare('SELECT ordinal FROM threads WHERE id = ?').get(source);
      insertWords.run({ ordinal: -thread.ordinal, source: -Number(before?.['ordinal']) });
      for (const { ordinal, id, resume_of: resumed, ...row } of rows) {
        const { parentId } = readParentColumn(row);
        const resumeOf = resumed === null ? null : (ids.get(resumed) ?? resumed);
        const place = { parentId: toParentColumn({ parentId: copyParent(parentId, ids) }), resumeOf };
        const inserted = insertRun.get({ id: ids.get(id) ?? id, key, source: ordinal, ...place });
        const copy = { ordinal: inserted?.['ordinal'] as number, source: ordinal };
        insertBatches.run({ ...copy, from: nameResumed(resumed), to: nameResumed(resumeOf) });
        insertWords.run(copy);
      }
      checkpoints.copy({ source, key, ids });
      insertFiles.run({ key, source });
      return { outcome: 'copied', row: byKey.get(key) as unknown as ThreadRow };
    },
  };
}

/** Returns the field of an event that names the run which is continued. */
function nameResumed(runId: string | null): string {
  return `"resumeOf":${JSON.stringify(runId)}`;
}
