import { describe, expect, it } from '@jest/globals';
import { compactLog } from '../events/compact-log.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import { ALICE, toBatch, toEnding, ownedRun } from '../testing/storage/storage-samples.js';
import { EventLog, type LogPage } from './event-log.js';
import { readWholeLog } from './read-log.js';

/** A log with a moment after its first page, in which a test does something. */
class InterruptedLog extends EventLog {
  reads = 0;

  constructor(
    private readonly log: EventLog,
    private readonly afterFirstPage: () => Promise<unknown>,
  ) {
    super();
  }

  append: EventLog['append'] = (batches) => this.log.append(batches);

  async readPage(runId: string, afterSeq: number, limit: number): Promise<LogPage> {
    const page = await this.log.readPage(runId, afterSeq, limit);
    this.reads += 1;
    if (this.reads === 1) await this.afterFirstPage();
    return page;
  }
}

async function longRun(): Promise<{ storage: MemoryStorage; whole: readonly RecordedEvent[] }> {
  const storage = new MemoryStorage();
  const run = await ownedRun(storage, 'r1');
  await storage.log.append([toBatch(run, 0, 2_500), toEnding(run, 2_500)]);
  return { storage, whole: await readWholeLog(storage.log, 'r1') };
}

describe('readWholeLog', () => {
  it('returns every event once over any number of pages', async () => {
    const { storage, whole } = await longRun();
    expect(await readWholeLog(storage.log, 'r1')).toEqual(whole);
    expect(await readWholeLog(storage.log, 'r2')).toEqual([]);
  });

  it('returns the compacted log when it is compacted between two pages', async () => {
    const { storage, whole } = await longRun();
    const compacted = compactLog(whole);
    const log = new InterruptedLog(storage.log, () => storage.retention.compact('r1', compacted));
    expect(await readWholeLog(log, 'r1')).toEqual(compacted);
  });

  it('returns nothing when the run is deleted between two pages', async () => {
    const { storage } = await longRun();
    const log = new InterruptedLog(storage.log, () => storage.runs.deleteThread(ALICE, 'thread-of-r1'));
    expect(await readWholeLog(log, 'r1')).toEqual([]);
  });
});
