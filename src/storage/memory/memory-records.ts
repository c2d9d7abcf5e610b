import type { Owner } from '../../principal.js';
import type { StoredBlob } from '../../runs/blob.store.js';
import type { BlobPlace, RowOf } from '../objects/blob-row.store.js';
import type { SaidText } from '../../runs/event-log.js';
import { belongsTo, type Run, type Thread } from '../../runs/run.js';
import type { OutsideUsage, Spending } from '../../runs/spending.js';
import type { LeasedRun } from '../../runs/takeover.js';
import { addUsage } from '../../events/usage.js';
import type { StoredBatch } from '../batch.codec.js';
import { toMonth } from '../spending-rows.js';

export interface RunRecord {
  /** The order of creation, by which queues and pages are sorted: clocks can stand still or go back. */
  readonly ordinal: number;
  run: Run;
  /** False before the first claim and after a release. */
  hasOwner: boolean;
  leaseUntil: number;
  readonly idempotency?: { readonly key: string; readonly fingerprint: string };
  batches: StoredBatch[];
  compacted: boolean;
  /** Set once the run can be found. */
  found?: { readonly said?: SaidText; readonly words: ReadonlySet<string> };
  /** Time before which it gets no owner; undefined once it may get one. */
  notBefore?: number | undefined;
  /** Time when the first of its approvals expires; undefined if none waits, or none expires. */
  awaitingUntil?: number | undefined;
}

export interface ThreadRecord {
  readonly ordinal: number;
  readonly key: string;
  thread: Pick<Thread, 'id' | 'owner' | 'title' | 'createdAt' | 'metadata' | 'pinned' | 'archived'>;
  updatedAt: number;
  /** The change that its owner has seen last. */
  readAt: number;
  lifetime?: { readonly ttlMs: number; readonly givenAt: number };
  hasBranches?: boolean;
  /** Words of a title that was given. */
  titleWords?: ReadonlySet<string>;
}

export type BlobRecord = RowOf<StoredBlob> & {
  readonly owner: Owner;
  /** Absent for an upload, which has the time when it is removed. */
  readonly threadKey?: string;
  readonly expiresAt?: number | undefined;
};

/** An object that no blob names. */
export interface ObjectNote {
  /** Time when it is to be removed. */
  readonly dueAt: number;
  /** True once no blob may name it any more. */
  readonly isClaimed: boolean;
}

/** The data of a memory storage; its ports share it. */
export class MemoryRecords {
  readonly runs = new Map<string, RunRecord>();
  /** By key. */
  readonly threads = new Map<string, ThreadRecord>();
  private readonly threadsByName = new Map<string, ThreadRecord>();
  /** By month, owner and agent. */
  readonly spending = new Map<string, Required<Spending>>();
  /** By owner, id and thread: a copy of a thread has its files under the same ids. */
  readonly blobs = new Map<string, BlobRecord>();
  /** By the object's name. */
  readonly objectNotes = new Map<string, ObjectNote>();
  readonly idempotencyKeys = new Map<string, RunRecord>();
  /** In the order of creation. */
  readonly unended = new Set<RunRecord>();
  private ordinal = 0;

  nextOrdinal(): number {
    this.ordinal += 1;
    return this.ordinal;
  }

  /** The owner's thread of that id. */
  thread(owner: Owner, threadId: string): ThreadRecord | undefined {
    return this.threadsByName.get(toNameKey(owner, threadId));
  }

  addThread(record: ThreadRecord): void {
    this.threads.set(record.key, record);
    this.threadsByName.set(toNameKey(record.thread.owner, record.thread.id), record);
  }

  oldestUnended(threadKey: string): RunRecord | undefined {
    for (const record of this.unended) if (record.run.threadKey === threadKey) return record;
    return undefined;
  }

  latestRun(threadKey: string): RunRecord | undefined {
    let latest: RunRecord | undefined;
    for (const record of this.runs.values()) if (record.run.threadKey === threadKey) latest = record;
    return latest;
  }

  /** The run that was created next in the same thread. */
  runAfter({ ordinal, run: { threadKey } }: RunRecord): RunRecord | undefined {
    for (const record of this.runs.values())
      if (record.run.threadKey === threadKey && record.ordinal > ordinal) return record;
    return undefined;
  }

  /** Returns the run, with the id of the one that continues it. */
  withContinuation({ run }: RunRecord): Run {
    if (run.status !== 'awaiting-input') return run;
    for (const { run: next } of this.runs.values())
      if (next.resumeOf === run.id) return { ...run, continuedBy: next.id };
    return run;
  }

  /** Deletes a thread with its runs, their logs and idempotency keys, and its blobs. */
  deleteThread({ key, thread }: ThreadRecord): void {
    for (const record of this.runs.values()) if (record.run.threadKey === key) this.deleteRun(record);
    for (const blob of this.blobs.values()) if (blob.threadKey === key) this.deleteBlob(blob);
    this.threads.delete(key);
    this.threadsByName.delete(toNameKey(thread.owner, thread.id));
  }

  deleteRun(record: RunRecord): void {
    const { run, idempotency } = record;
    this.runs.delete(run.id);
    this.unended.delete(record);
    if (idempotency) this.idempotencyKeys.delete(toIdempotencyKey(run.principal, idempotency.key));
  }

  /** Deletes a blob. Its object, if it has one, is to be removed with the last blob that names it. */
  deleteBlob(blob: BlobRecord): void {
    this.blobs.delete(toBlobKey(blob));
    if (!('object' in blob)) return;
    for (const other of this.blobs.values()) if ('object' in other && other.object === blob.object) return;
    this.objectNotes.set(blob.object, { dueAt: 0, isClaimed: true });
  }

  addBlob(blob: BlobRecord): void {
    this.blobs.set(toBlobKey(blob), blob);
  }

  hasBlob(place: BlobPlace): boolean {
    return this.blobs.has(toBlobKey(place));
  }

  /** Returns the owner's blob with this id: of any thread, or an upload. */
  findBlob(owner: Owner, id: string): BlobRecord | undefined {
    for (const blob of this.blobs.values()) if (blob.id === id && belongsTo(blob.owner, owner)) return blob;
    return undefined;
  }

  /** Makes the owner's uploads with these ids blobs of the thread. If one is neither an upload nor of that thread, changes nothing and returns its id. */
  takeFiles(owner: Owner, ids: readonly string[], threadKey: string): string | undefined {
    const missing = ids.find(
      (id) => ![threadKey, undefined].some((key) => this.blobs.has(toBlobKey({ owner, id, threadKey: key }))),
    );
    if (missing !== undefined) return missing;
    for (const id of ids) {
      const upload = this.blobs.get(toBlobKey({ owner, id }));
      if (!upload) continue;
      this.blobs.delete(toBlobKey(upload));
      this.addBlob({ ...upload, threadKey, expiresAt: undefined });
    }
    return undefined;
  }

  /** Adds what an ended run has used to the sums, or what was used outside of runs. */
  charge({ owner: { tenant, userId }, agent, usage }: OutsideUsage, at: number, runs: 0 | 1): void {
    const month = toMonth(at);
    const key = JSON.stringify([month, tenant, userId, agent]);
    const sums = this.spending.get(key);
    this.spending.set(key, {
      month,
      tenant,
      userId,
      agent,
      runs: (sums?.runs ?? 0) + runs,
      usage: addUsage(sums?.usage, usage),
    });
  }

  /** The run's record, if this epoch is its current one and nothing has ended it. */
  owned({ runId, epoch }: { readonly runId: string; readonly epoch: number }): RunRecord | undefined {
    const record = this.runs.get(runId);
    return record && record.run.epoch === epoch && this.unended.has(record) ? record : undefined;
  }
}

function toBlobKey({ owner, id, threadKey = '' }: Pick<BlobRecord, 'owner' | 'id' | 'threadKey'>): string {
  return toNameKey(owner, JSON.stringify([id, threadKey]));
}

/** One key of one principal. */
export function toIdempotencyKey(owner: Owner, key: string): string {
  return toNameKey(owner, key);
}

/** A name that is unique per owner. */
export function toNameKey({ tenant, userId }: Owner, name: string): string {
  return JSON.stringify([tenant, userId, name]);
}

export function toLeasedRun({ run, leaseUntil, hasOwner }: RunRecord): LeasedRun {
  return { id: run.id, leaseUntil, deaths: run.deaths ?? 0, isHeld: hasOwner };
}
