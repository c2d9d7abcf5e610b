import { expiryOf } from '../../events/approval.js';
import type { RecordedEvent } from '../../events/recorded-event.js';
import { EventLog, type AppendBatch, type AppendResult } from '../../runs/event.log.js';
import { decodeBatches, encodeFrames } from '../batch.frames.js';
import type { SqliteClient } from './sqlite.client.js';
import type { NewBatch } from './worker/log.operations.js';

export class SqliteEventLog extends EventLog {
  constructor(
    private readonly client: SqliteClient,
    private readonly clock: () => number,
  ) {
    super();
  }

  async append(batches: readonly AppendBatch[]): Promise<readonly AppendResult[]> {
    const appended = await this.client.call('append', { batches: batches.map(rowOf), now: this.clock() });
    return appended.map((done) => (done ? 'appended' : 'fenced'));
  }

  async read(runId: string, afterSeq: number, limit: number): Promise<readonly RecordedEvent[]> {
    const stored = await this.client.call('readLog', { runId, afterSeq, limit });
    return stored
      ? decodeBatches({ runId, threadId: stored.threadId }, stored.batches, { afterSeq, limit })
      : [];
  }
}

function rowOf({ runId, epoch, afterSeq, events, ending }: AppendBatch): NewBatch {
  const batch = { runId, epoch, afterSeq, lastSeq: afterSeq + events.length, frames: encodeFrames(events) };
  if (!ending) return batch;
  const { outcome, error, usage, approvals } = ending;
  return {
    ...batch,
    ending: {
      outcome,
      error: error ? JSON.stringify(error) : null,
      usage: JSON.stringify(usage),
      approvals: approvals ? JSON.stringify(approvals) : null,
      awaitingUntil: (approvals && expiryOf(approvals)) ?? null,
    },
  };
}
