import { describe, expect, it } from '@jest/globals';
import { compactLog } from '../events/compact-log.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import { batchOf, endingOf, ownedRun } from '../testing/storage/storage.samples.js';
import { EventLog } from './event.log.js';
import { readWholeLog } from './whole.log.js';

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

  async read(runId: string, afterSeq: number, limit: number): Promise<readonly RecordedEvent[]> {
    const page = await this.log.read(runId, afterSeq, limit);
    this.reads += 1;
    if (this.reads === 1) await this.afterFirstPage();
    return page;
  }
}

async function longRun(): Promise<{ storage: MemoryStorage; whole: readonly RecordedEvent[] }> {
  const storage = new MemoryStorage();
  const run = await ownedRun(storage, 'r1');
  await storage.log.append([batchOf(run, 0, 2_500), endingOf(run, 2_500)]);
  return { storage, whole: await storage.log.read('r1', 0, 10_000) };
}

describe('readWholeLog', () => {
  it('gives every event once, over any number of pages', async () => {
    const { storage, whole } = await longRun();
    expect(await readWholeLog(storage.log, 'r1')).toEqual(whole);
    expect(await readWholeLog(storage.log, 'r2')).toEqual([]);
  });

  it('gives the compacted log, and no word twice, when it is compacted between two pages', async () => {
    const { storage, whole } = await longRun();
    const compacted = compactLog(whole);
    const log = new InterruptedLog(storage.log, () => storage.retention.compact('r1', compacted));
    expect(await readWholeLog(log, 'r1')).toEqual(compacted);
  });

  it('gives nothing when the run is removed between two pages', async () => {
    const { storage } = await longRun();
    const log = new InterruptedLog(storage.log, () => storage.runs.deleteThread('thread-of-r1'));
    expect(await readWholeLog(log, 'r1')).toEqual([]);
  });
});
