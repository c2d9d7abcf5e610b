import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { firstValueFrom, take, toArray, type Observable } from 'rxjs';
import { AppError } from '../errors.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEvent } from '../events/run-event.js';
import { EventLog, type LogPage } from './event-log.js';
import { EventCache } from './event.cache.js';
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
  /** Number of events that a page has room for. */
  pageEvents = Infinity;
  failing: Error | undefined;
  between: () => Promise<void> = async () => undefined;

  async append(): Promise<readonly never[]> {
    return [];
  }

  async readPage(_runId: string, afterSeq: number, limit: number): Promise<LogPage> {
    this.reads += 1;
    await this.between();
    if (this.failing) throw this.failing;
    const after = this.events.filter(({ seq }) => seq > afterSeq);
    const events = after.slice(0, Math.min(limit, this.pageEvents));
    await this.between();
    return { events, atTail: events.length === after.length, bytes: events.length };
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

function feedOver(log: GrowingLog, { recheckMs = 600_000, recent = new EventCache() } = {}) {
  const wakeups = new HandWakeups();
  return { wakeups, recent, feed: new RunFeed(log, recent, wakeups, { recheckMs }) };
}

const all = (events: Observable<RecordedEvent>) => firstValueFrom(events.pipe(toArray()));

/** Resolves when the reader has read to the tail and waits. */
async function atRest(log: GrowingLog): Promise<void> {
  for (let reads = -1; reads !== log.reads;) {
    reads = log.reads;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('RunFeed', () => {
  it('replays an ended run over several pages and completes', async () => {
    const log = new GrowingLog();
    log.events.push(...endedLog(1_000));
    const { feed, wakeups } = feedOver(log);
    expect(await all(feed.follow({ runId: 'run', afterSeq: 0 }))).toEqual(log.events);
    expect(wakeups.listeners.size).toBe(0);
  });

  it('delivers each event after the cursor once and in order for any timing of reads, appends and hints', async () => {
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
          const recent = new EventCache();
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

  it('completes at once for a reader that has already seen the end of a run', async () => {
    const log = new GrowingLog();
    log.events.push(...endedLog(3));
    const { feed, wakeups } = feedOver(log);
    expect(await all(feed.follow({ runId: 'run', afterSeq: 3 }))).toEqual([]);
    expect(wakeups.listeners.size).toBe(0);
  });

  it('delivers events after a lost hint at the next recheck', async () => {
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

  it('leaves no listener and no timer when a reader leaves while waiting or reading', async () => {
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
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it('delivers nothing after the reader has left in the middle of a page', async () => {
    const log = new GrowingLog();
    log.events.push(...endedLog(100));
    const { feed } = feedOver(log);
    const events = await all(feed.follow({ runId: 'run', afterSeq: 0 }).pipe(take(3)));
    expect(events).toEqual(log.events.slice(0, 3));
  });

  it('fails for a reader when the log cannot be read, and leaves no listener', async () => {
    const log = new GrowingLog();
    log.failing = new AppError('STORAGE_FAILED', 'The storage cannot be read.');
    const { feed, wakeups } = feedOver(log);
    await expect(all(feed.follow({ runId: 'run', afterSeq: 0 }))).rejects.toBe(log.failing);
    expect(wakeups.listeners.size).toBe(0);
  });

  it('waits for a reader that is not ready, then delivers the rest without a gap', async () => {
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

  it('delivers the same events to two readers and to one that joins late', async () => {
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

  it('reads from storage only what the cache does not hold', async () => {
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

  it('ignores cached events of an ended run when its stored run has another epoch', async () => {
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

  it('delivers everything to a reader that is ahead of the cache', async () => {
    const whole = endedLog(12);
    const steps = fc.array(fc.constantFrom('commit', 'acknowledge', 'hint', 'rest'), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(steps, fc.nat({ max: 3 }), async (todo, ahead) => {
        const log = new GrowingLog();
        const { feed, recent, wakeups } = feedOver(log);
        let acknowledged = 0;
        const commit = () => log.events.push(...whole.slice(log.events.length, log.events.length + 1));
        const acknowledge = () => {
          const events = log.events.slice(acknowledged, acknowledged + 2);
          acknowledged += events.length;
          if (events.length > 0) recent.add('run', events);
        };
        for (let count = 0; count < ahead; count += 1) commit();
        const reading = all(feed.follow({ runId: 'run', afterSeq: 0 }));
        for (const step of todo) {
          if (step === 'commit') commit();
          else if (step === 'acknowledge') acknowledge();
          else if (step === 'hint') wakeups.notify();
          else await atRest(log);
        }
        while (log.events.length < whole.length) commit();
        // A writer tells of a commit once it has heard of it itself.
        while (acknowledged < whole.length) acknowledge();
        wakeups.notify();
        expect(await reading).toEqual(whole);
      }),
      { numRuns: 300 },
    );
  });

  it('reads from storage before it stops a reader whose event is not in the cache', async () => {
    const log = new GrowingLog();
    const whole = recordedAll(
      endedLog(30).map(({ event }) => event),
      { epoch: 2 },
    );
    log.events.push(...whole);
    const { feed, recent } = feedOver(log);
    recent.add(
      'run',
      recordedAll(
        endedLog(30).map(({ event }) => event),
        { epoch: 1 },
      ).slice(0, 20),
    );
    expect(await all(feed.follow({ runId: 'run', afterSeq: 15, afterEpoch: 2 }))).toEqual(whole.slice(15));
  });

  it('completes for a reader whose last event was replaced by another one', async () => {
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

  it('completes for a reader when the log is restored and grows past its position again', async () => {
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
