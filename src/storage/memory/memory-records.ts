import type { Owner } from '../../principal.js';
import type { Run, Thread } from '../../runs/run.js';
import type { StoredBatch } from '../batch.codec.js';

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
  /** Time when the first of its approvals expires; undefined if none waits, or none expires. */
  awaitingUntil?: number | undefined;
}

export interface ThreadRecord {
  readonly ordinal: number;
  readonly key: string;
  readonly thread: Omit<Thread, 'updatedAt' | 'activeRunId'>;
  updatedAt: number;
}

/** The data of a memory storage; its ports share it. */
export class MemoryRecords {
  readonly runs = new Map<string, RunRecord>();
  /** By key. */
  readonly threads = new Map<string, ThreadRecord>();
  private readonly threadsByName = new Map<string, ThreadRecord>();
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

  /** With its runs, their logs and their idempotency keys. */
  deleteThread({ key, thread }: ThreadRecord): void {
    for (const record of this.runs.values()) {
      const { run, idempotency } = record;
      if (run.threadKey !== key) continue;
      this.runs.delete(run.id);
      this.unended.delete(record);
      if (idempotency) this.idempotencyKeys.delete(toIdempotencyKey(run.principal, idempotency.key));
    }
    this.threads.delete(key);
    this.threadsByName.delete(toNameKey(thread.owner, thread.id));
  }

  /** The run's record, if this epoch is its current one and nothing has ended it. */
  owned({ runId, epoch }: { readonly runId: string; readonly epoch: number }): RunRecord | undefined {
    const record = this.runs.get(runId);
    return record && record.run.epoch === epoch && this.unended.has(record) ? record : undefined;
  }
}

/** One key of one principal. */
export function toIdempotencyKey(owner: Owner, key: string): string {
  return toNameKey(owner, key);
}

function toNameKey({ tenant, userId }: Owner, name: string): string {
  return JSON.stringify([tenant, userId, name]);
}
