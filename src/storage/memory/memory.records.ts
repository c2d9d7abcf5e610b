import type { Owner } from '../../principal.js';
import type { Run, Thread } from '../../runs/run.js';
import type { StoredBatch } from '../batch.frames.js';

export interface RunRecord {
  /** The order of creation, by which queues and pages are sorted: clocks can stand still or go back. */
  readonly ordinal: number;
  run: Run;
  /** False before the first claim and after a release. */
  held: boolean;
  leaseUntil: number;
  readonly idempotency?: { readonly key: string; readonly fingerprint: string };
  batches: StoredBatch[];
  compacted: boolean;
  /** When the first of its approvals expires; undefined: none waits, or none expires. */
  awaitingUntil?: number | undefined;
}

export interface ThreadRecord {
  readonly ordinal: number;
  readonly thread: Omit<Thread, 'updatedAt' | 'activeRunId'>;
  updatedAt: number;
}

/** What a memory storage holds; its ports share it. */
export class MemoryRecords {
  readonly runs = new Map<string, RunRecord>();
  readonly threads = new Map<string, ThreadRecord>();
  readonly idempotencyKeys = new Map<string, RunRecord>();
  /** In the order of creation. */
  readonly unended = new Set<RunRecord>();
  private ordinal = 0;

  nextOrdinal(): number {
    this.ordinal += 1;
    return this.ordinal;
  }

  oldestUnended(threadId: string): RunRecord | undefined {
    for (const record of this.unended) if (record.run.threadId === threadId) return record;
    return undefined;
  }

  latestRun(threadId: string): RunRecord | undefined {
    let latest: RunRecord | undefined;
    for (const record of this.runs.values()) if (record.run.threadId === threadId) latest = record;
    return latest;
  }

  /** With its runs, their logs and their idempotency keys. */
  deleteThread(threadId: string): void {
    for (const record of this.runs.values()) {
      const { run, idempotency } = record;
      if (run.threadId !== threadId) continue;
      this.runs.delete(run.id);
      this.unended.delete(record);
      if (idempotency) this.idempotencyKeys.delete(idempotencyKeyOf(run.principal, idempotency.key));
    }
    this.threads.delete(threadId);
  }

  /** The run's record, if this epoch is its current one and nothing has ended it. */
  owned({ runId, epoch }: { readonly runId: string; readonly epoch: number }): RunRecord | undefined {
    const record = this.runs.get(runId);
    return record && record.run.epoch === epoch && this.unended.has(record) ? record : undefined;
  }
}

/** One key of one principal. */
export function idempotencyKeyOf(owner: Owner, key: string): string {
  return JSON.stringify([owner.tenant, owner.userId, key]);
}
