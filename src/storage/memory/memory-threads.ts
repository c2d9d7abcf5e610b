import type { FoundThread, TurnPlace } from '../../runs/admission.js';
import type { Owner } from '../../principal.js';
import { belongsTo, createTitle, findNewTitle, type Thread, type ThreadChange } from '../../runs/run.js';
import type { NewRun, NewThread, Page, ThreadListRequest } from '../../runs/run.store.js';
import { collectWords } from '../../runs/search-words.js';
import { keysAfter, toPage, type SortKeys } from '../page-cursor.js';
import { toLifetime } from '../run-rows.js';
import type { MemoryRecords, RunRecord, ThreadRecord } from './memory-records.js';

/** Returns the thread that a run makes. */
export function newThread(
  { threadId, principal, ...asked }: NewRun,
  { ordinal, key, now }: { readonly ordinal: number; readonly key: string; readonly now: number },
): ThreadRecord {
  const owner = { userId: principal.userId, tenant: principal.tenant };
  return {
    ordinal,
    key,
    thread: { id: threadId, owner, title: createTitle(asked), createdAt: now },
    updatedAt: now,
    readAt: now,
  };
}

/** Adds a thread without runs, unless its owner has one of that id. */
export function createThread(
  records: MemoryRecords,
  { id, owner: { userId, tenant }, key, metadata, ttlMs }: NewThread,
  now: number,
): { readonly outcome: 'created' | 'existing'; readonly thread: Thread } {
  const found = records.thread({ userId, tenant }, id);
  if (found) return { outcome: 'existing', thread: toThread(records, found) };
  const notes = metadata && { metadata: copy(metadata) };
  const thread = { id, owner: { userId, tenant }, title: '', createdAt: now, ...notes };
  const lifetime = ttlMs !== undefined && { lifetime: { ttlMs, givenAt: now } };
  const record = { ordinal: records.nextOrdinal(), key, thread, updatedAt: now, readAt: now, ...lifetime };
  records.addThread(record);
  return { outcome: 'created', thread: toThread(records, record) };
}

/** Notes a message of the thread's owner: it marks the thread as read, and brings it back from the archive. The first one titles it. */
export function touch(
  record: ThreadRecord,
  { title, now, isFork }: { readonly title: string; readonly now: number; readonly isFork: boolean },
): void {
  const { archived: _, ...thread } = record.thread;
  record.thread = { ...thread, title: thread.title || title };
  record.updatedAt = now;
  record.readAt = now;
  if (isFork) record.hasBranches = true;
}

export function changeThread(
  records: MemoryRecords,
  record: ThreadRecord | undefined,
  change: ThreadChange,
  now: number,
): Thread | undefined {
  if (!record) return undefined;
  const { pinned, archived, ...thread } = record.thread;
  const marks = { pinned, archived, ...change };
  const title = findNewTitle(change, thread.title);
  const notes = change.metadata && { metadata: { ...thread.metadata, ...copy(change.metadata) } };
  record.thread = {
    ...thread,
    title: title ?? thread.title,
    ...(marks.pinned && { pinned: true }),
    ...(marks.archived && { archived: true }),
    ...notes,
  };
  if (change.ttlMs === null) delete record.lifetime;
  else if (change.ttlMs !== undefined) record.lifetime = { ttlMs: change.ttlMs, givenAt: now };
  if (change.read) record.readAt = record.updatedAt;
  if (title !== undefined) record.titleWords = collectWords([title]);
  return toThread(records, record);
}

/** Returns a page of the owner's threads, latest change first. */
export function listThreads(records: MemoryRecords, owner: Owner, page: ThreadListRequest): Page<Thread> {
  return toPage(findThreads(records, owner, page), page, {
    getKeys,
    toItem: (row) => toThread(records, row),
  });
}

export function getKeys({ updatedAt, ordinal }: ThreadRecord): SortKeys {
  return [updatedAt, ordinal];
}

/** Returns the owner's threads that a page may have, and all that follow, latest change first. */
export function findThreads(records: MemoryRecords, owner: Owner, page: ThreadListRequest): ThreadRecord[] {
  const { archived, pinned, waiting } = page;
  const [updatedAt = Infinity, ordinal = Infinity] = keysAfter(page, 2) ?? [];
  return [...records.threads.values()]
    .filter((row) => belongsTo(row.thread.owner, owner))
    .filter(({ thread }) => archived === undefined || archived === (thread.archived ?? false))
    .filter(({ thread }) => pinned === undefined || pinned === (thread.pinned ?? false))
    .filter(({ key }) => !waiting || isWaiting(records, key))
    .filter((row) => row.updatedAt < updatedAt || (row.updatedAt === updatedAt && row.ordinal < ordinal))
    .sort((one, other) => other.updatedAt - one.updatedAt || other.ordinal - one.ordinal);
}

/** True if the thread's last run waits for an answer from outside. */
function isWaiting(records: MemoryRecords, threadKey: string): boolean {
  return records.latestRun(threadKey)?.run.status === 'awaiting-input';
}

export function toThread(
  records: MemoryRecords,
  { key, thread, updatedAt, readAt, hasBranches, lifetime }: ThreadRecord,
): Thread {
  const active = records.oldestUnended(key);
  return {
    ...thread,
    updatedAt,
    ...(active && { activeRunId: active.run.id }),
    ...(readAt < updatedAt && { unread: true }),
    ...(isWaiting(records, key) && { waiting: true }),
    ...(hasBranches && { hasBranches }),
    ...(lifetime && toLifetime({ ...lifetime, updatedAt })),
  };
}

export function toFoundThread(records: MemoryRecords, { key }: ThreadRecord): FoundThread {
  const unended = records.oldestUnended(key);
  return {
    key,
    unended: unended?.run.id,
    latest: records.latestRun(key)?.run,
    ...(unended && { turn: findTurn(records, unended) }),
  };
}

/** Returns the place at which the turn of a run was asked. */
function findTurn(
  records: MemoryRecords,
  { run: { resumeOf, parentId, given: { fromCheckpoint } = {} } }: RunRecord,
): TurnPlace {
  const before = resumeOf === undefined ? undefined : records.runs.get(resumeOf);
  if (before) return findTurn(records, before);
  return { parentId: parentId ?? null, ...(fromCheckpoint !== undefined && { fromCheckpoint }) };
}

/** Returns the JSON value as a database would give it back. */
function copy<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}
