import {
  EventLog,
  type AppendBatch,
  type AppendResult,
  type LogPage,
  type SaidText,
} from '../../runs/event-log.js';
import { decodeBatches, encodeFrames, PAGE_BYTES } from '../batch.codec.js';
import { toEndingColumns } from '../run-rows.js';
import type { SqliteClient } from './sqlite.client.js';
import type { NewBatch } from './worker/log-operations.js';

export class SqliteEventLog extends EventLog {
  constructor(
    private readonly client: SqliteClient,
    private readonly clock: () => number,
  ) {
    super();
  }

  async append(batches: readonly AppendBatch[]): Promise<readonly AppendResult[]> {
    return this.client.call('append', { batches: batches.map(toBatchRow), now: this.clock() });
  }

  async readPage(runId: string, afterSeq: number, limit: number): Promise<LogPage> {
    const stored = await this.client.call('readLog', { runId, afterSeq, limit, maxBytes: PAGE_BYTES });
    if (!stored) return { events: [], atTail: true, bytes: 0 };
    const { threadId, batches, atTail } = stored;
    return decodeBatches({ runId, threadId }, batches, { afterSeq, limit }, atTail);
  }
}

function toBatchRow({ runId, epoch, afterSeq, events, ending }: AppendBatch): NewBatch {
  const batch = { runId, epoch, afterSeq, lastSeq: afterSeq + events.length, frames: encodeFrames(events) };
  if (!ending) return batch;
  const { said } = ending;
  return { ...batch, ending: toEndingColumns(ending), ...(said && { said: toPlainText(said) }) };
}

/** Returns a copy that can be sent to a thread. */
export function toPlainText({ owner: { tenant, userId }, question, answer }: SaidText): SaidText {
  return { owner: { tenant, userId }, question, answer };
}
