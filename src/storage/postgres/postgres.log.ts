import type { RecordedEvent } from '../../events/recorded-event.js';
import { EventLog, type AppendBatch, type AppendResult } from '../../runs/event.log.js';
import { decodeBatches, type StoredBatch } from '../batch.frames.js';
import type { PostgresDatabase } from './postgres.database.js';
import type { PostgresWriter } from './postgres.writer.js';

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

  async read(runId: string, afterSeq: number, limit: number): Promise<readonly RecordedEvent[]> {
    if (runId.includes('\0')) return [];
    // A reader sees what this process appended before it asked. Readers of other runs never wait.
    await this.writer.settled(runId);
    const rows = await this.database.query<StoredBatch & { readonly threadId: string }>(this.text, [
      runId,
      afterSeq,
      limit,
    ]);
    const threadId = rows[0]?.threadId ?? '';
    return decodeBatches({ runId, threadId }, rows, { afterSeq, limit });
  }

  /** Whole batches, until there are `limit` events: what lies before those that are needed is counted, not fetched. */
  private get text(): string {
    const { schema } = this.database;
    return `
      SELECT thread_id AS "threadId", first_seq AS "firstSeq", last_seq AS "lastSeq", epoch, frames
      FROM (
        SELECT runs.thread_id, batches.*, sum(batches.last_seq - greatest(batches.first_seq - 1, $2)) OVER (
          ORDER BY batches.last_seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
        FROM ${schema}.runs JOIN ${schema}.batches ON batches.run = runs.ordinal
        WHERE runs.id = $1 AND batches.last_seq > $2 ORDER BY batches.last_seq LIMIT $3
      ) AS page
      WHERE before IS NULL OR before < $3 ORDER BY last_seq`;
  }
}
