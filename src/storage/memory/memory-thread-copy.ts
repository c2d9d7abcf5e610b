import { newId } from '../../runs/run-ids.js';
import { copyParent, type ThreadCopy, type ThreadCopyResult } from '../../runs/thread-copy.js';
import { toBytesColumns } from '../objects/blob-row.store.js';
import type { MemoryCheckpointer } from './memory.checkpointer.js';
import type { BlobRecord, MemoryRecords, RunRecord, ThreadRecord } from './memory-records.js';
import { toThread } from './memory-threads.js';

/** Stores a copy of a thread: its ended runs, their states and its files. */
export async function copyThread(
  records: MemoryRecords,
  checkpointer: MemoryCheckpointer,
  copy: ThreadCopy,
  now: number,
): Promise<ThreadCopyResult> {
  const { owner, threadId, key, maxRuns, maxBytes, maxOwnerBytes } = copy;
  const source = records.thread(owner, threadId);
  if (!source) return { outcome: 'no-thread' };
  const runs = [...records.runs.values()].filter(
    (record) => record.run.threadKey === source.key && !records.unended.has(record),
  );
  const files = [...records.blobs.values()].filter(({ threadKey }) => threadKey === source.key);
  const bytes = sum(runs.map(measure)) + sumFiles(files) + checkpointer.measure(source.key);
  if (runs.length > maxRuns || bytes > maxBytes) return { outcome: 'too-large' };
  const held = [...records.blobs.values()].filter(
    (blob) => blob.owner.tenant === owner.tenant && blob.owner.userId === owner.userId,
  );
  if (files.length > 0 && sumFiles(held) + sumFiles(files) > maxOwnerBytes) return { outcome: 'full' };

  const ids = new Map(runs.map(({ run }) => [run.id, newId()]));
  const { pinned: _pinned, archived: _archived, ...facts } = source.thread;
  const thread: ThreadRecord = {
    ...source,
    ordinal: records.nextOrdinal(),
    key,
    thread: { ...facts, id: key, createdAt: now },
    updatedAt: now,
    readAt: now,
    ...(source.lifetime && { lifetime: { ...source.lifetime, givenAt: now } }),
  };
  records.addThread(thread);
  for (const record of runs) {
    const copied = copyRun(record, ids, { key, ordinal: records.nextOrdinal() });
    records.runs.set(copied.run.id, copied);
  }
  for (const file of files) records.addBlob({ ...file, threadKey: key });
  await checkpointer.copyThread(source.key, key, ids);
  return { outcome: 'copied', thread: toThread(records, thread) };
}

function copyRun(
  { idempotency: _key, ...record }: RunRecord,
  ids: ReadonlyMap<string, string>,
  { key, ordinal }: { readonly key: string; readonly ordinal: number },
): RunRecord {
  const { run } = record;
  // The log has those that the run has taken.
  const { parentId: asked, resumeOf, messages: _messages, ...facts } = run;
  const parentId = copyParent(asked, ids);
  const continued = resumeOf === undefined ? undefined : (ids.get(resumeOf) ?? resumeOf);
  return {
    ...record,
    ordinal,
    run: {
      ...facts,
      id: ids.get(run.id) ?? run.id,
      threadId: key,
      threadKey: key,
      copyOf: run.copyOf ?? run.id,
      ...(parentId !== undefined && { parentId }),
      ...(continued !== undefined && { resumeOf: continued }),
    },
    batches: record.batches.map((batch) => ({
      ...batch,
      frames: renameResumed(batch.frames, resumeOf, continued),
    })),
  };
}

function renameResumed(frames: string, from: string | undefined, to: string | undefined): string {
  if (from === undefined) return frames;
  return frames.replaceAll(
    JSON.stringify({ resumeOf: from }).slice(1, -1),
    JSON.stringify({ resumeOf: to }).slice(1, -1),
  );
}

function measure({ run, batches }: RunRecord): number {
  return run.message.length + sum(batches.map(({ frames }) => frames.length));
}

function sumFiles(files: readonly BlobRecord[]): number {
  return sum(files.map((file) => toBytesColumns(file).bytes));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
