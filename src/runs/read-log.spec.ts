import { describe, expect, it } from '@jest/globals';
import { compactLog } from '../events/compact-log.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import { ALICE, toBatch, toEnding, ownedRun } from '../testing/storage/storage-samples.js';
import { EventLog, type LogPage } from './event-log.js';
import { readLogPart, readWholeLog } from './read-log.js';

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

describe('readLogPart', () => {
  const ALL = { enoughBytes: Infinity };

  it('returns what comes after an event, and nothing at the tail', async () => {
    const { storage, whole } = await longRun();
    const part = await readLogPart(storage.log, 'r1', { ...ALL, afterSeq: 2_000 });
    expect(part).toEqual({ afterSeq: 2_000, events: whole.slice(2_000) });
    const tail = whole.at(-1)!.seq;
    expect(await readLogPart(storage.log, 'r1', { ...ALL, afterSeq: tail })).toEqual({
      afterSeq: tail,
      events: [],
    });
  });

  it('adds up to the whole log in parts of any size', async () => {
    const { storage, whole } = await longRun();
    const events: RecordedEvent[] = [];
    for (;;) {
      const afterSeq = events.at(-1)?.seq ?? 0;
      const part = await readLogPart(storage.log, 'r1', { afterSeq, enoughBytes: 1 });
      if (part.events.length === 0) break;
      events.push(...part.events);
    }
    expect(events).toEqual(whole);
  });

  it.each([
    ['was compacted away', 3],
    ['was never there', 99_999],
  ])('starts again from the first event if the one before %s', async (_name, afterSeq) => {
    const { storage, whole } = await longRun();
    const compacted = compactLog(whole);
    await storage.retention.compact('r1', compacted);
    expect(compacted.some(({ seq }) => seq === afterSeq)).toBe(false);
    expect(await readLogPart(storage.log, 'r1', { ...ALL, afterSeq })).toEqual({
      afterSeq: 0,
      events: compacted,
    });
  });
});
