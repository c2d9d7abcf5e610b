import type { RecordedEvent } from '../../events/recorded-event.js';
import type { SaidText } from '../../runs/event-log.js';
import { Retention, type DeletedThread, type IdleThreads, type OwnerUsage } from '../../runs/retention.js';
import { toBatches } from '../batch.codec.js';
import { toThreadName } from '../run-rows.js';
import { toPlainText } from './sqlite-event-log.js';
import type { SqliteClient } from './sqlite.client.js';

export class SqliteRetention extends Retention {
  constructor(private readonly client: SqliteClient) {
    super();
  }

  listUncompacted({
    endedBefore,
    limit,
  }: {
    endedBefore: number;
    limit: number;
  }): Promise<readonly string[]> {
    return this.client.call('listUncompacted', { endedBefore, limit });
  }

  async compact(runId: string, events: readonly RecordedEvent[]): Promise<'compacted' | 'refused'> {
    const done = await this.client.call('compactLog', { runId, batches: toBatches(events) });
    return done ? 'compacted' : 'refused';
  }

  listUnindexed(limit: number): Promise<readonly string[]> {
    return this.client.call('listUnindexed', limit);
  }

  index(runId: string, said: SaidText): Promise<void> {
    return this.client.call('indexRun', { runId, said: toPlainText(said) });
  }

  async deleteIdleThreads({ unchangedSince, limit, owner }: IdleThreads): Promise<readonly DeletedThread[]> {
    const rows = await this.client.call('deleteIdleThreads', {
      unchangedSince,
      limit,
      ...(owner && { owner: { tenant: owner.tenant, userId: owner.userId } }),
    });
    return rows.map(toThreadName);
  }

  async deleteExpiredThreads(query: {
    readonly now: number;
    readonly limit: number;
  }): Promise<readonly DeletedThread[]> {
    return (await this.client.call('deleteExpiredThreads', query)).map(toThreadName);
  }

  async listUsage(limit: number): Promise<readonly OwnerUsage[]> {
    const rows = await this.client.call('listUsage', limit);
    return rows.map(({ tenant, userId, bytes }) => ({ owner: { userId, tenant }, bytes }));
  }

  usedBytes(): Promise<number> {
    return this.client.call('usedBytes', undefined);
  }

  shrink(): Promise<boolean> {
    return this.client.call('shrink', undefined);
  }
}
