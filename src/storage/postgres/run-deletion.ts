import { titleAfter, type Run } from '../../runs/run.js';
import type { RunDeletion, RunDeletionResult } from '../../runs/run-deletion.js';
import { deleteRunCheckpoints } from './checkpoint-pruning.js';
import type { Statements } from './postgres.database.js';
import { lockThread } from './thread-names.js';

interface DeletedRow {
  readonly ordinal: number;
  readonly id: string;
  readonly thread_id: string;
  readonly thread_name: string | null;
  readonly resume_of: string | null;
  readonly ended_at: number | null;
  /** JSON, as the next one. */
  readonly message: string;
  readonly given: string | null;
}

const COLUMNS = 'ordinal, id, thread_id, thread_name, resume_of, ended_at, message, given';

/** Removes an ended run that no other continues from, and those that it continues after answers. */
export async function deleteRun(
  tx: Statements,
  s: string,
  { owner, runId, files }: RunDeletion,
): Promise<RunDeletionResult> {
  const { tenant, userId } = owner;
  const find = async (id: string) => {
    const [row] = await tx.query<DeletedRow>(
      `SELECT ${COLUMNS} FROM ${s}.runs
       WHERE id = $1 AND tenant = $2 AND user_id = $3`,
      [id, tenant, userId],
    );
    return row;
  };
  const named = await find(runId);
  if (!named) return { outcome: 'no-run' };
  // From here on no run starts in the thread, and none is deleted.
  await lockThread(tx, s, { owner, id: named.thread_name ?? named.thread_id });
  const run = await find(runId);
  if (!run) return { outcome: 'no-run' };
  const followedBy = await findFollower(tx, s, run);
  if (followedBy !== undefined) return { outcome: 'followed', runId: followedBy };
  if (run.ended_at === null) return { outcome: 'unended' };
  const deleted: DeletedRow[] = [];
  for (let next: DeletedRow | undefined = run; next && (await findFollower(tx, s, next)) === undefined;) {
    deleted.push(next);
    // First: a compaction of the run that is under way is waited for. A trigger removes its words.
    await tx.query(`DELETE FROM ${s}.runs WHERE ordinal = $1`, [next.ordinal]);
    await tx.query(`DELETE FROM ${s}.batches WHERE run = $1`, [next.ordinal]);
    await deleteRunCheckpoints(tx, s, { threadId: next.thread_id, runId: next.id });
    next = next.resume_of === null ? undefined : await find(next.resume_of);
  }
  const gone = deleted.flatMap(({ id }) => files[id] ?? []);
  await deleteFiles(tx, s, { owner, threadKey: run.thread_id, ids: gone });
  await rename(tx, s, run.thread_id, deleted);
  return { outcome: 'deleted' };
}

/** Gives a thread another title, if one of the deleted runs gave it the one that it has. */
async function rename(
  tx: Statements,
  s: string,
  threadKey: string,
  deleted: readonly DeletedRow[],
): Promise<void> {
  const [left] = await tx.query<DeletedRow>(
    `SELECT ${COLUMNS} FROM ${s}.runs WHERE thread_id = $1 ORDER BY ordinal LIMIT 1`,
    [threadKey],
  );
  const [thread] = await tx.query<{ title: string }>(
    `SELECT title FROM ${s}.threads WHERE id = $1 FOR UPDATE`,
    [threadKey],
  );
  if (!thread) return;
  const title = titleAfter(JSON.parse(thread.title) as string, deleted.map(toAsked), left && toAsked(left));
  await tx.query(`UPDATE ${s}.threads SET title = $2 WHERE id = $1`, [threadKey, JSON.stringify(title)]);
}

function toAsked({ message, given }: DeletedRow): Pick<Run, 'message' | 'given'> {
  const asked = given === null ? {} : { given: JSON.parse(given) as NonNullable<Run['given']> };
  return { message: JSON.parse(message) as string, ...asked };
}

/** Returns the id of a run that continues from this one: it names it, or is the next in time and names none. */
async function findFollower(
  tx: Statements,
  s: string,
  { thread_id: threadKey, id, ordinal }: DeletedRow,
): Promise<string | undefined> {
  const [follower] = await tx.query<{ id: string }>(
    `SELECT id FROM ${s}.runs WHERE thread_id = $1 AND (parent_id = $2 OR parent_id IS NULL AND ordinal = (
       SELECT min(ordinal) FROM ${s}.runs WHERE thread_id = $1 AND ordinal > $3)) LIMIT 1`,
    [threadKey, id, ordinal],
  );
  return follower?.id;
}

/** Removes the files of the thread with these ids that none of its runs was given. */
async function deleteFiles(
  tx: Statements,
  s: string,
  {
    owner,
    threadKey,
    ids,
  }: Pick<RunDeletion, 'owner'> & { readonly threadKey: string; readonly ids: readonly string[] },
): Promise<void> {
  if (ids.length === 0) return;
  await tx.query(
    `DELETE FROM ${s}.blobs WHERE tenant = $1 AND user_id = $2 AND thread_id = $3 AND id = ANY($4) AND NOT EXISTS (
       SELECT 1 FROM ${s}.runs WHERE runs.thread_id = $3 AND position(blobs.id IN runs.given) > 0)`,
    [owner.tenant, owner.userId, threadKey, [...ids]],
  );
}
