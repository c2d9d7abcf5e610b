import { findExpiry } from '../../events/requested-input.js';
import {
  EventLog,
  type AppendBatch,
  type AppendResult,
  type LogPage,
  type RunEnding,
} from '../../runs/event-log.js';
import { hasWaiting } from '../../runs/run-messages.js';
import { decodeBatches, encodeFrames } from '../batch.codec.js';
import type { MemoryRecords, RunRecord } from './memory-records.js';
import { indexRun } from './memory-search.js';

/** Logs are kept as JSON, as in a database: what a caller changes afterwards does not change the log. */
export class MemoryEventLog extends EventLog {
  constructor(
    private readonly records: MemoryRecords,
    private readonly clock: () => number,
  ) {
    super();
  }

  async append(batches: readonly AppendBatch[]): Promise<readonly AppendResult[]> {
    // Encoded before anything is stored: an event that JSON refuses fails the whole call and leaves no half of it.
    const encoded = batches.map((batch) => ({ batch, frames: encodeFrames(batch.events) }));
    return encoded.map(({ batch, frames }) => this.appendOne(batch, frames));
  }

  async readPage(runId: string, afterSeq: number, limit: number): Promise<LogPage> {
    const record = this.records.runs.get(runId);
    if (!record) return { events: [], atTail: true, bytes: 0 };
    const from = record.batches.findIndex((batch) => batch.lastSeq > afterSeq);
    const batches = from === -1 ? [] : record.batches.slice(from, from + limit);
    const atTail = from === -1 || from + limit >= record.batches.length;
    return decodeBatches({ runId, threadId: record.run.threadId }, batches, { afterSeq, limit }, atTail);
  }

  private appendOne(batch: AppendBatch, frames: string): AppendResult {
    const record = this.records.owned(batch);
    if (record?.run.lastSeq !== batch.afterSeq) return 'fenced';
    if (batch.ending?.outcome === 'completed' && hasWaiting(record.run.messages)) return 'message-waits';
    const lastSeq = batch.afterSeq + batch.events.length;
    record.batches.push({ firstSeq: batch.afterSeq + 1, lastSeq, epoch: batch.epoch, frames });
    record.run = { ...record.run, lastSeq };
    if (batch.ending) this.end(record, batch.ending);
    return 'appended';
  }

  private end(record: RunRecord, { outcome, error, usage, inputs, said }: RunEnding): void {
    const endedAt = this.clock();
    record.run = {
      ...record.run,
      status: outcome,
      endedAt,
      usage,
      ...(error && { error }),
      ...(inputs && { inputs }),
    };
    const { principal: owner, agent } = record.run;
    this.records.charge({ owner, agent, usage }, endedAt, 1);
    indexRun(record, said);
    record.awaitingUntil = inputs && findExpiry(inputs);
    record.hasOwner = false;
    this.records.unended.delete(record);
    const thread = this.records.threads.get(record.run.threadKey);
    if (thread) thread.updatedAt = endedAt;
  }
}
