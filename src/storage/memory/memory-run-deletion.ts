import { belongsTo, titleAfter, type Run } from '../../runs/run.js';
import type { RunDeletion, RunDeletionResult } from '../../runs/run-deletion.js';
import type { MemoryCheckpointer } from './memory.checkpointer.js';
import type { MemoryRecords, RunRecord } from './memory-records.js';

/** Removes an ended run that no other continues from, and those that it continues after answers. */
export async function deleteRun(
  records: MemoryRecords,
  checkpointer: MemoryCheckpointer,
  { owner, runId, files }: RunDeletion,
): Promise<RunDeletionResult> {
  const record = records.runs.get(runId);
  if (!record || !belongsTo(record.run.principal, owner)) return { outcome: 'no-run' };
  const follower = findFollower(records, record);
  if (follower) return { outcome: 'followed', runId: follower.run.id };
  if (records.unended.has(record)) return { outcome: 'unended' };
  const { threadKey } = record.run;
  const removed: Run[] = [];
  for (let next: RunRecord | undefined = record; next && !findFollower(records, next);) {
    records.deleteRun(next);
    removed.push(next.run);
    next = next.run.resumeOf === undefined ? undefined : records.runs.get(next.run.resumeOf);
  }
  deleteFiles(
    records,
    threadKey,
    removed.flatMap(({ id }) => files[id] ?? []),
  );
  const thread = records.threads.get(threadKey);
  const [left] = [...records.runs.values()].filter(({ run }) => run.threadKey === threadKey);
  if (thread)
    thread.thread = { ...thread.thread, title: titleAfter(thread.thread.title, removed, left?.run) };
  await checkpointer.deleteRuns(
    threadKey,
    removed.map(({ id }) => id),
  );
  return { outcome: 'deleted' };
}

/** Returns a run that continues from this one. */
function findFollower(records: MemoryRecords, record: RunRecord): RunRecord | undefined {
  const { id, threadKey } = record.run;
  const after = records.runAfter(record);
  if (after && after.run.parentId === undefined) return after;
  for (const other of records.runs.values())
    if (other.run.threadKey === threadKey && other.run.parentId === id) return other;
  return undefined;
}

function deleteFiles(records: MemoryRecords, threadKey: string, ids: readonly string[]): void {
  const given = [...records.runs.values()]
    .filter(({ run }) => run.threadKey === threadKey)
    .map(({ run }) => JSON.stringify(run.given ?? {}))
    .join();
  for (const blob of records.blobs.values())
    if (blob.threadKey === threadKey && ids.includes(blob.id) && !given.includes(blob.id))
      records.deleteBlob(blob);
}
