import type { RecordedEvent } from '../../events/recorded-event.js';
import { Retention, type IdleThreads } from '../../runs/retention.js';
import { batchesOf } from '../batch.frames.js';
import type { MemoryRecords } from './memory.records.js';

/** No method waits for anything before its last change, which makes each an atomic step. */
export class MemoryRetention extends Retention {
  constructor(private readonly records: MemoryRecords) {
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
    record.batches = batchesOf(events);
    record.run = { ...record.run, firstSeq: first.seq };
    record.compacted = true;
    return 'compacted';
  }

  async deleteIdleThreads({ unchangedSince, limit }: IdleThreads): Promise<readonly string[]> {
    const ids = [...this.records.threads.values()]
      .filter(({ updatedAt, thread }) => updatedAt < unchangedSince && !this.records.oldestUnended(thread.id))
      .sort((one, other) => one.updatedAt - other.updatedAt || one.ordinal - other.ordinal)
      .slice(0, limit)
      .map(({ thread }) => thread.id);
    for (const id of ids) this.records.deleteThread(id);
    return ids;
  }

  /** The characters of the logs: what grows. */
  async usedBytes(): Promise<number> {
    let bytes = 0;
    for (const { batches } of this.records.runs.values()) {
      for (const { frames } of batches) bytes += frames.length;
    }
    return bytes;
  }

  async shrink(): Promise<boolean> {
    return false;
  }
}
