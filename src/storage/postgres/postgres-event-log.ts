import { EventLog, type AppendBatch, type AppendResult, type LogPage } from '../../runs/event-log.js';
import { decodeBatches, PAGE_BYTES, type StoredBatch } from '../batch.codec.js';
import type { PostgresDatabase } from './postgres.database.js';
import type { PostgresWriter } from './postgres.writer.js';

interface BatchRow extends StoredBatch {
  readonly threadId: string;
  /** The last seq of the log. */
  readonly tail: number;
}

export class PostgresEventLog extends EventLog {
  constructor(
    private readonly database: PostgresDatabase,
    private readonly writer: PostgresWriter,
  ) {
    super();
  }

  append(batches: readonly AppendBatch[]): Promise<readonly AppendResult[]> {
    return this.writer.append(batches);
  }

  async readPage(runId: string, afterSeq: number, limit: number): Promise<LogPage> {
    if (runId.includes('\0')) return { events: [], atTail: true, bytes: 0 };
    // A reader sees what this process appended before it asked. Readers of other runs never wait.
    await this.writer.settled(runId);
    const rows = await this.database.query<BatchRow>(this.text, [runId, afterSeq, limit, PAGE_BYTES]);
    const threadId = rows[0]?.threadId ?? '';
    const last = rows.at(-1);
    const atTail = last === undefined || last.lastSeq >= last.tail;
    return decodeBatches({ runId, threadId }, rows, { afterSeq, limit }, atTail);
  }

  /** Whole batches, until there are `limit` events or a page is full: what lies beyond is counted, not fetched. */
  private get text(): string {
    const { schema } = this.database;
    return `
      SELECT "threadId", tail, first_seq AS "firstSeq", last_seq AS "lastSeq", epoch, frames
      FROM (
        SELECT coalesce(runs.thread_name, runs.thread_id) AS "threadId", runs.last_seq AS tail, batches.*,
          sum(batches.last_seq - greatest(batches.first_seq - 1, $2)) OVER before AS events_before,
          sum(octet_length(batches.frames)) OVER before AS bytes_before
        FROM ${schema}.runs CROSS JOIN LATERAL (
          SELECT * FROM ${schema}.batches WHERE batches.run = runs.ordinal AND batches.last_seq > $2
          ORDER BY batches.last_seq LIMIT $3
        ) AS batches
        WHERE runs.id = $1
        WINDOW before AS (ORDER BY batches.last_seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
      ) AS page
      WHERE events_before IS NULL OR (events_before < $3 AND bytes_before < $4) ORDER BY last_seq`;
  }
}
