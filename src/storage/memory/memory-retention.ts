import type { RecordedEvent } from '../../events/recorded-event.js';
import type { Owner } from '../../principal.js';
import type { SaidText } from '../../runs/event-log.js';
import { Retention, type DeletedThread, type IdleThreads, type OwnerUsage } from '../../runs/retention.js';
import { belongsTo, hasEnded } from '../../runs/run.js';
import { toBatches } from '../batch.codec.js';
import { toBytesColumns } from '../objects/blob-row.store.js';
import { toLifetime } from '../run-rows.js';
import type { MemoryCheckpointer } from './memory.checkpointer.js';
import type { MemoryRecords, ThreadRecord } from './memory-records.js';
import { indexRun } from './memory-search.js';

/** No method waits for anything before its last change, which makes each an atomic step. */
export class MemoryRetention extends Retention {
  constructor(
    private readonly records: MemoryRecords,
    private readonly checkpointer: MemoryCheckpointer,
  ) {
    super();
  }

  async listUncompacted({
    endedBefore,
    limit,
  }: {
    readonly endedBefore: number;
    readonly limit: number;
  }): Promise<readonly string[]> {
    return [...this.records.runs.values()]
      .filter(({ run, compacted }) => !compacted && (run.endedAt ?? Infinity) < endedBefore)
      .sort((one, other) => (one.run.endedAt ?? 0) - (other.run.endedAt ?? 0))
      .slice(0, limit)
      .map(({ run }) => run.id);
  }

  async compact(runId: string, events: readonly RecordedEvent[]): Promise<'compacted' | 'refused'> {
    const record = this.records.runs.get(runId);
    const [first, last] = [events[0], events.at(-1)];
    if (!record || record.compacted || this.records.unended.has(record)) return 'refused';
    if (!first || last?.seq !== record.run.lastSeq) return 'refused';
    record.batches = toBatches(events);
    record.run = { ...record.run, firstSeq: first.seq };
    record.compacted = true;
    return 'compacted';
  }

  async listUnindexed(limit: number): Promise<readonly string[]> {
    return [...this.records.runs.values()]
      .filter(({ run, found }) => hasEnded(run) && !found)
      .sort((one, other) => (other.run.endedAt ?? 0) - (one.run.endedAt ?? 0))
      .slice(0, limit)
      .map(({ run }) => run.id);
  }

  async index(runId: string, said: SaidText): Promise<void> {
    const record = this.records.runs.get(runId);
    if (record && hasEnded(record.run) && !record.found) indexRun(record, said);
  }

  async deleteIdleThreads({
    unchangedSince,
    limit,
    owner: of,
  }: IdleThreads): Promise<readonly DeletedThread[]> {
    return this.deleteThreads(
      [...this.records.threads.values()]
        .filter(({ thread }) => !of || belongsTo(thread.owner, of))
        .filter(({ updatedAt, key }) => updatedAt < unchangedSince && !this.records.oldestUnended(key))
        .sort((one, other) => one.updatedAt - other.updatedAt || one.ordinal - other.ordinal)
        .slice(0, limit),
    );
  }

  async deleteExpiredThreads({
    now,
    limit,
  }: {
    readonly now: number;
    readonly limit: number;
  }): Promise<readonly DeletedThread[]> {
    return this.deleteThreads(
      [...this.records.threads.values()]
        .filter((record) => readExpiry(record) <= now && !this.records.oldestUnended(record.key))
        .sort((one, other) => readExpiry(one) - readExpiry(other))
        .slice(0, limit),
    );
  }

  private async deleteThreads(threads: readonly ThreadRecord[]): Promise<readonly DeletedThread[]> {
    for (const record of threads) this.records.deleteThread(record);
    // Nothing can be added to them any more: the fence of every checkpoint names a run that is gone.
    for (const { key } of threads) await this.checkpointer.deleteThread(key);
    return threads.map(({ thread: { id, owner } }) => ({ id, owner }));
  }

  async listUsage(limit: number): Promise<readonly OwnerUsage[]> {
    const usage = new Map<string, OwnerUsage>();
    const add = ({ tenant, userId }: Owner, kept: number) => {
      const key = JSON.stringify([tenant, userId]);
      usage.set(key, { owner: { userId, tenant }, bytes: (usage.get(key)?.bytes ?? 0) + kept });
    };
    for (const { run, batches } of this.records.runs.values()) {
      if (!hasEnded(run)) continue;
      const frames = batches.reduce((sum, batch) => sum + Buffer.byteLength(batch.frames), 0);
      add(run.principal, Buffer.byteLength(run.message) + frames);
    }
    for (const blob of this.records.blobs.values()) add(blob.owner, toBytesColumns(blob).bytes);
    return [...usage.values()].sort((one, other) => other.bytes - one.bytes).slice(0, limit);
  }

  /** The characters of the logs and the bytes of the blobs: what grows. */
  async usedBytes(): Promise<number> {
    let bytes = 0;
    for (const { batches } of this.records.runs.values()) {
      for (const { frames } of batches) bytes += frames.length;
    }
    for (const blob of this.records.blobs.values()) bytes += toBytesColumns(blob).bytes;
    return bytes;
  }

  async shrink(): Promise<boolean> {
    return false;
  }
}

function readExpiry({ lifetime, updatedAt }: ThreadRecord): number {
  return (lifetime && toLifetime({ ...lifetime, updatedAt }).expiresAt) ?? Infinity;
}
