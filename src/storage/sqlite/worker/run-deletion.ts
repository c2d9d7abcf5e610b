import type { DatabaseSync } from 'node:sqlite';
import type { RunDeletion, RunDeletionResult } from '../../../runs/run-deletion.js';
import { titleAfter, type Run } from '../../../runs/run.ts';
import { pruningOn } from './checkpoint-pruning.ts';
import type { TailCache } from './tail.cache.js';

export interface DeleteRun extends Pick<RunDeletion, 'runId' | 'files'> {
  readonly tenant: string;
  readonly userId: string;
}

interface DeletedRow {
  readonly ordinal: number;
  readonly id: string;
  readonly thread_id: string;
  readonly resume_of: string | null;
  readonly ended_at: number | null;
  readonly message: string;
  /** JSON. */
  readonly given: string | null;
}

/** Removes single runs. Each function is one step; the caller gives it its transaction. */
export function runDeletionOperations(db: DatabaseSync, tails: TailCache) {
  const pruning = pruningOn(db);
  const columns = 'ordinal, id, thread_id, resume_of, ended_at, message, given';
  const select = db.prepare(`SELECT ${columns} FROM runs WHERE id = ? AND tenant = ? AND user_id = ?`);
  // One that names it, or the next in time that names none.
  const follower = db.prepare(`
    SELECT id FROM runs WHERE thread_id = :threadKey AND (parent_id = :id OR parent_id IS NULL AND ordinal = (
      SELECT min(ordinal) FROM runs AS later WHERE later.thread_id = :threadKey AND later.ordinal > :ordinal))
    LIMIT 1`);
  const statements = [
    'DELETE FROM run_words WHERE rowid = ?',
    'DELETE FROM batches WHERE run = ?',
    'DELETE FROM runs WHERE ordinal = ?',
  ].map((sql) => db.prepare(sql));
  const deleteFile = db.prepare(`
    DELETE FROM blobs WHERE tenant = :tenant AND user_id = :userId AND id = :id AND thread_id = :threadKey AND NOT EXISTS (
      SELECT 1 FROM runs WHERE runs.thread_id = :threadKey AND instr(runs.given, :id) > 0)`);

  const oldest = db.prepare(`SELECT ${columns} FROM runs WHERE thread_id = ? ORDER BY ordinal LIMIT 1`);
  const title = db.prepare('SELECT title FROM threads WHERE id = ?');
  const rename = db.prepare('UPDATE threads SET title = :title WHERE id = :threadKey');

  const findFollower = ({ thread_id: threadKey, id, ordinal }: DeletedRow) =>
    follower.get({ threadKey, id, ordinal })?.['id'] as string | undefined;

  return {
    deleteRun({ tenant, userId, runId, files }: DeleteRun): RunDeletionResult {
      const find = (id: string) => select.get(id, tenant, userId) as unknown as DeletedRow | undefined;
      const run = find(runId);
      if (!run) return { outcome: 'no-run' };
      const followedBy = findFollower(run);
      if (followedBy !== undefined) return { outcome: 'followed', runId: followedBy };
      if (run.ended_at === null) return { outcome: 'unended' };
      const threadKey = run.thread_id;
      const deleted: DeletedRow[] = [];
      for (let next: DeletedRow | undefined = run; next && findFollower(next) === undefined;) {
        deleted.push(next);
        for (const statement of statements) statement.run(next.ordinal);
        pruning.deleteRun(next.thread_id, next.id);
        tails.forget(next.id);
        next = next.resume_of === null ? undefined : find(next.resume_of);
      }
      for (const id of deleted.flatMap((gone) => files[gone.id] ?? []))
        deleteFile.run({ tenant, userId, id, threadKey });
      const left = oldest.get(threadKey) as DeletedRow | undefined;
      const current = title.get(threadKey)?.['title'] as string;
      rename.run({ threadKey, title: titleAfter(current, deleted.map(toAsked), left && toAsked(left)) });
      return { outcome: 'deleted' };
    },
  };
}

function toAsked({ message, given }: DeletedRow): Pick<Run, 'message' | 'given'> {
  return { message, ...(given !== null && { given: JSON.parse(given) as NonNullable<Run['given']> }) };
}
