import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { firstValueFrom, take, toArray, type Observable } from 'rxjs';
import { AppError } from '../errors.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEvent } from '../events/run-event.js';
import { EventLog } from './event.log.js';
import { RecentEvents } from './recent.events.js';
import { RunFeed } from './run.feed.js';
import { recordedAll } from './run.testing.js';
import { Wakeups, type WakeupTopic } from './wakeups.js';

const END: RunEvent = {
  type: 'end',
  outcome: 'completed',
  usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
  durationMs: 0,
};

/** A run of so many events, the last of them its end. */
function endedLog(length: number): RecordedEvent[] {
  const words = Array.from({ length: length - 1 }, (_, index): RunEvent => ({
    type: 'text-delta',
    partId: 'p',
    delta: `w${index}`,
  }));
  return recordedAll([...words, END]);
}

/** A log that grows as it is told, read through whatever the test puts in between. */
class GrowingLog extends EventLog {
  readonly events: RecordedEvent[] = [];
  reads = 0;
  failing: Error | undefined;
  between: () => Promise<void> = async () => undefined;

  async append(): Promise<readonly never[]> {
    return [];
  }

  async read(_runId: string, afterSeq: number, limit: number): Promise<readonly RecordedEvent[]> {
    this.reads += 1;
    await this.between();
    if (this.failing) throw this.failing;
    const page = this.events.filter(({ seq }) => seq > afterSeq).slice(0, limit);
    await this.between();
    return page;
  }
}

/** Hints by hand, and a count of who listens. */
class HandWakeups extends Wakeups {
  readonly listeners = new Set<() => void>();

  notify(): void {
    for (const wake of this.listeners) setImmediate(wake);
  }

  listen(_topic: WakeupTopic, wake: () => void): () => void {
    this.listeners.add(wake);
    return () => void this.listeners.delete(wake);
  }
}

function feedOver(log: GrowingLog, { recheckMs = 600_000, recent = new RecentEvents() } = {}) {
  const wakeups = new HandWakeups();
  return { wakeups, recent, feed: new RunFeed(log, recent, wakeups, recheckMs) };
}

const all = (events: Observable<RecordedEvent>) => firstValueFrom(events.pipe(toArray()));

/** Resolves when the reader has read to the tail and waits. */
async function atRest(log: GrowingLog): Promise<void> {
  for (let reads = -1; reads !== log.reads;) {
    reads = log.reads;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('run feed', () => {
  it('replays an ended run whole, page after page, and completes', async () => {
    const log = new GrowingLog();
    log.events.push(...endedLog(1_000));
    const { feed, wakeups } = feedOver(log);
    expect(await all(feed.follow({ runId: 'run', afterSeq: 0 }))).toEqual(log.events);
    expect(wakeups.listeners.size).toBe(0);
  });

  it('gives each event after the cursor once, in order, however reads, appends and hints interleave', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.integer({ min: 1, max: 8 }),
        fc.nat({ max: 8 }),
        fc.nat({ max: 8 }),
        async (scheduler, length, before, cursor) => {
          const whole = endedLog(length);
          const afterSeq = Math.min(cursor, length);
          const log = new GrowingLog();
          log.events.push(...whole.slice(0, Math.max(Math.min(before, length), afterSeq)));
          log.between = () => scheduler.schedule(Promise.resolve(), 'read');
          const recent = new RecentEvents();
          const { feed, wakeups } = feedOver(log, { recent });

          const seen = all(feed.follow({ runId: 'run', afterSeq }));
          const writes = whole.slice(log.events.length).map((event) => ({
            label: `append ${event.seq}`,
            builder: async () => {
              log.events.push(event);
              recent.add('run', [event]);
              void scheduler.schedule(Promise.resolve(), 'hint').then(() => {
                for (const wake of wakeups.listeners) wake();
              });
            },
          }));
          scheduler.scheduleSequence(writes);
          const [, events] = await Promise.all([scheduler.waitFor(seen), seen]);
          expect(events).toEqual(whole.slice(afterSeq));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('completes at once for a reader that has the end already', async () => {
    const log = new GrowingLog();
    log.events.push(...endedLog(3));
    const { feed, wakeups } = feedOver(log);
    expect(await all(feed.follow({ runId: 'run', afterSeq: 3 }))).toEqual([]);
    expect(wakeups.listeners.size).toBe(0);
  });

  it('pays for a lost hint with the recheck and nothing else', async () => {
    const log = new GrowingLog();
    const { feed } = feedOver(log, { recheckMs: 5 });
    const seen = all(feed.follow({ runId: 'run', afterSeq: 0 }));
    await atRest(log);
    log.events.push(...endedLog(2));
    expect(await seen).toHaveLength(2);
  });

  it('reads nothing while there is neither a hint nor a recheck', async () => {
    const log = new GrowingLog();
    const { feed } = feedOver(log);
    const reader = feed.follow({ runId: 'run', afterSeq: 0 }).subscribe();
    await atRest(log);
    const { reads } = log;
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(log.reads).toBe(reads);
    reader.unsubscribe();
  });

  it('leaves nobody listening and no timer when the reader goes, wherever it stands', async () => {
    const log = new GrowingLog();
    const { feed, wakeups } = feedOver(log);
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();

    const waiting = feed.follow({ runId: 'run', afterSeq: 0 }).subscribe();
    await atRest(log);
    expect(timers()).toBe(before + 1);
    waiting.unsubscribe();
    const reading = feed.follow({ runId: 'run', afterSeq: 0 }).subscribe();
    reading.unsubscribe();
    await atRest(log);
    expect(wakeups.listeners.size).toBe(0);
    expect(timers()).toBe(before);
  });

  it('gives nothing more once the reader has gone, in the middle of a page', async () => {
    const log = new GrowingLog();
    log.events.push(...endedLog(100));
    const { feed } = feedOver(log);
    const events = await all(feed.follow({ runId: 'run', afterSeq: 0 }).pipe(take(3)));
    expect(events).toEqual(log.events.slice(0, 3));
  });

  it('errors when the log cannot be read, and leaves nobody listening', async () => {
    const log = new GrowingLog();
    log.failing = new AppError('STORAGE_FAILED', 'The storage cannot be read.');
    const { feed, wakeups } = feedOver(log);
    await expect(all(feed.follow({ runId: 'run', afterSeq: 0 }))).rejects.toBe(log.failing);
    expect(wakeups.listeners.size).toBe(0);
  });

  it('waits for a reader that is not ready, and gives it the rest without a gap', async () => {
    const log = new GrowingLog();
    log.events.push(...endedLog(600));
    const { feed } = feedOver(log);
    const gate = Promise.withResolvers<void>();
    const seen: RecordedEvent[] = [];
    const done = Promise.withResolvers<void>();
    feed.follow({ runId: 'run', afterSeq: 0, ready: () => gate.promise }).subscribe({
      next: (event) => seen.push(event),
      complete: done.resolve,
    });
    await atRest(log);
    expect(seen).toHaveLength(1);
    gate.resolve();
    await done.promise;
    expect(seen).toEqual(log.events);
  });

  it('serves two readers and one that joins late the same events', async () => {
    const log = new GrowingLog();
    const whole = endedLog(40);
    log.events.push(...whole.slice(0, 10));
    const { feed, wakeups } = feedOver(log);
    const early = [0, 5].map((afterSeq) => all(feed.follow({ runId: 'run', afterSeq })));
    await atRest(log);
    log.events.push(...whole.slice(10, 20));
    wakeups.notify();
    await atRest(log);
    const late = all(feed.follow({ runId: 'run', afterSeq: 15 }));
    log.events.push(...whole.slice(20));
    wakeups.notify();
    expect(await Promise.all([...early, late])).toEqual([whole, whole.slice(5), whole.slice(15)]);
  });

  it('asks the storage for what the process does not have at hand, and only for that', async () => {
    const log = new GrowingLog();
    const whole = endedLog(20);
    log.events.push(...whole);
    const { feed, recent } = feedOver(log);
    const record = { epoch: 1, lastSeq: 20 };
    recent.add('run', whole.slice(10));
    expect(await all(feed.follow({ runId: 'run', record, afterSeq: 15 }))).toEqual(whole.slice(15));
    expect(log.reads).toBe(0);
    expect(await all(feed.follow({ runId: 'run', record, afterSeq: 0 }))).toEqual(whole);
    expect(log.reads).toBe(1);
  });

  it('does not trust what it has at hand of an ended run that its record does not know to have ended so', async () => {
    const log = new GrowingLog();
    const { feed, recent } = feedOver(log);
    recent.add('run', endedLog(20));
    const other = recordedAll(
      endedLog(10).map(({ event }) => event),
      { epoch: 2 },
    );
    log.events.push(...other);
    const record = { epoch: 2, lastSeq: 10 };
    expect(await all(feed.follow({ runId: 'run', record, afterSeq: 0 }))).toEqual(other);
  });

  it('lets a reader go when another event is in the place of its own: it has to come back, and be told', async () => {
    const log = new GrowingLog();
    log.events.push(
      ...recordedAll(
        endedLog(30).map(({ event }) => event),
        { epoch: 2 },
      ),
    );
    const { feed } = feedOver(log);
    expect(await all(feed.follow({ runId: 'run', afterSeq: 15, afterEpoch: 1 }))).toEqual([]);
    expect(await all(feed.follow({ runId: 'run', afterSeq: 15, afterEpoch: 2 }))).toEqual(
      log.events.slice(15),
    );
  });

  it('lets a reader go when the log was put back under it and has grown past its place again', async () => {
    const log = new GrowingLog();
    const whole = endedLog(30);
    log.events.push(...whole.slice(0, 20));
    const { feed, wakeups } = feedOver(log);
    const reading = all(feed.follow({ runId: 'run', afterSeq: 0 }));
    await atRest(log);
    const goesOn = recordedAll(
      whole.map(({ event }) => event),
      { epoch: 2 },
    ).slice(10);
    log.events.splice(10, 10, ...goesOn);
    wakeups.notify();
    expect(await reading).toEqual(whole.slice(0, 20));
  });
});
