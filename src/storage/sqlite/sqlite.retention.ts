import type { RecordedEvent } from '../../events/recorded-event.js';
import { Retention, type IdleThreads } from '../../runs/retention.js';
import { batchesOf } from '../batch.frames.js';
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
    const done = await this.client.call('compactLog', { runId, batches: batchesOf(events) });
    return done ? 'compacted' : 'refused';
  }

  deleteIdleThreads({ unchangedSince, limit }: IdleThreads): Promise<readonly string[]> {
    return this.client.call('deleteIdleThreads', { unchangedSince, limit });
  }

  usedBytes(): Promise<number> {
    return this.client.call('usedBytes', undefined);
  }

  shrink(): Promise<boolean> {
    return this.client.call('shrink', undefined);
  }
}
