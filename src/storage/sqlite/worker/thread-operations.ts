import type { DatabaseSync } from 'node:sqlite';
import { findNewTitle, type ThreadChange } from '../../../runs/run.ts';
import type { ThreadRow } from '../../run-rows.js';
import { mergeMetadata } from '../../thread-metadata.ts';
import type { TailCache } from './tail.cache.js';
import { deletionOn } from './thread-deletion.ts';
import { threadKeysOn, type ThreadName } from './thread-names.ts';
import { titleIndexingOn } from './word-index.ts';

/** Columns of a {@link ThreadRow}. */
export const THREAD = `threads.*, (
  SELECT runs.id FROM runs INDEXED BY runs_unended
  WHERE runs.thread_id = threads.id AND runs.ended_at IS NULL ORDER BY runs.ordinal LIMIT 1
) AS active_run_id, (
  SELECT runs.status FROM runs WHERE runs.thread_id = threads.id ORDER BY runs.ordinal DESC LIMIT 1
) AS latest_status`;

/** The owner's threads that come after a place, and pass the filters. */
export const LISTED = `threads.tenant = :tenant AND threads.user_id = :userId AND (updated_at, threads.ordinal) < (:updatedBefore, :before)
  AND archived = coalesce(:archived, archived) AND pinned = coalesce(:pinned, pinned)`;

export const LATEST_FIRST = 'ORDER BY updated_at DESC, threads.ordinal DESC';

/** Asks for threads, of those that come after these sort keys: at most `limit`, latest change first. */
export interface ListThreads {
  readonly tenant: string;
  readonly userId: string;
  readonly updatedBefore: number;
  readonly before: number;
  readonly limit: number;
  readonly archived?: boolean;
  readonly pinned?: boolean;
  readonly waiting?: boolean;
}

export function threadOperations(db: DatabaseSync, tails: TailCache) {
  const threadKeys = threadKeysOn(db);
  const byKey = db.prepare(`SELECT ${THREAD} FROM threads WHERE id = ?`);
  const page = `WHERE ${LISTED} ${LATEST_FIRST} LIMIT :limit`;
  const ofOwner = db.prepare(`SELECT ${THREAD} FROM threads ${page}`);
  // CROSS: from the runs to their threads, and not the other way round.
  const waitingOfOwner = db.prepare(`
    SELECT ${THREAD} FROM (
      SELECT asking.thread_id FROM runs AS asking INDEXED BY runs_waiting_of_owner
      WHERE asking.tenant = :tenant AND asking.user_id = :userId AND asking.status = 'awaiting-input' AND NOT EXISTS (
        SELECT 1 FROM runs AS later WHERE later.thread_id = asking.thread_id AND later.ordinal > asking.ordinal)
    ) AS asking CROSS JOIN threads ON threads.id = asking.thread_id ${page}`);
  const change = db.prepare(`
    UPDATE threads SET title = coalesce(:title, title), pinned = coalesce(:pinned, pinned),
      archived = coalesce(:archived, archived), read_at = CASE WHEN :read THEN updated_at ELSE read_at END,
      metadata = :metadata, ttl_ms = CASE WHEN :changesTtl THEN :ttlMs ELSE ttl_ms END,
      ttl_at = CASE WHEN :changesTtl THEN :now ELSE ttl_at END
    WHERE id = :key`);
  const insert = db.prepare(`
    INSERT INTO threads (id, name, tenant, user_id, title, metadata, created_at, updated_at, read_at, ttl_ms, ttl_at)
    VALUES (:key, nullif(:threadId, :key), :tenant, :userId, '', :metadata, :now, :now, :now, :ttlMs, :now)`);
  const indexTitle = titleIndexingOn(db);
  const deleteThread = deletionOn(db);

  return {
    getThread(name: ThreadName): ThreadRow | undefined {
      const key = threadKeys(name);
      return key === undefined ? undefined : (byKey.get(key) as ThreadRow | undefined);
    },

    listThreads({ archived, pinned, waiting = false, ...place }: ListThreads): ThreadRow[] {
      const flags = { archived: toFlag(archived), pinned: toFlag(pinned) };
      return (waiting ? waitingOfOwner : ofOwner).all({ ...place, ...flags }) as unknown as ThreadRow[];
    },

    /** Returns the owner's thread of that name: one that was there, or one of this key. */
    createThread({
      name,
      ...columns
    }: {
      readonly name: ThreadName;
      readonly key: string;
      /** JSON. */
      readonly metadata: string | null;
      readonly ttlMs: number | null;
      readonly now: number;
    }): ThreadRow {
      const found = threadKeys(name);
      if (found === undefined) insert.run({ ...columns, ...name });
      return byKey.get(found ?? columns.key) as unknown as ThreadRow;
    },

    changeThread({
      name,
      change: { pinned, archived, metadata, read, ttlMs, ...titles },
      now,
    }: {
      readonly name: ThreadName;
      readonly change: ThreadChange;
      readonly now: number;
    }): ThreadRow | undefined {
      const key = threadKeys(name);
      if (key === undefined) return undefined;
      const marks = { pinned: toFlag(pinned), archived: toFlag(archived), read: Number(read ?? false) };
      const before = byKey.get(key) as unknown as ThreadRow;
      const title = findNewTitle(titles, before.title);
      const lifetime = { changesTtl: Number(ttlMs !== undefined), ttlMs: ttlMs ?? null, now };
      const notes = mergeMetadata(before.metadata, metadata);
      change.run({ key, title: title ?? null, ...marks, metadata: notes, ...lifetime });
      if (title !== undefined) indexTitle(before, title);
      return byKey.get(key) as ThreadRow | undefined;
    },

    deleteThread(name: ThreadName): void {
      const key = threadKeys(name);
      if (key === undefined) return;
      deleteThread(key);
      // Of its runs, whichever those were.
      tails.forgetAll();
    },
  };
}

/** Returns a boolean as SQLite stores it; null if there is none. */
export function toFlag(value: boolean | undefined): number | null {
  return value === undefined ? null : Number(value);
}
