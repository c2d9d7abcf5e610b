import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { CursorCheck } from '../chat/run-reader.js';
import { AppError } from '../errors.js';
import { compactLog } from '../events/compact-log.js';
import { formatCursor } from '../events/cursor.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import { foldRun, textOf } from '../events/run-view.js';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import { batchOf, claimRun, endingOf, endRun, newRun, ownedRun } from '../testing/storage/storage.samples.js';
import { RecentEvents } from './recent.events.js';
import { RetentionService, type RetentionOptions } from './retention.service.js';
import { RunFeed } from './run.feed.js';

// What retention logs is not what is tested.
Logger.overrideLogger(false);

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

describe('RetentionService', () => {
  let now: number;
  let storage: MemoryStorage;
  let recent: RecentEvents;
  let forgotten: string[];

  beforeEach(() => {
    now = 1_800_000_000_000;
    storage = new MemoryStorage({ clock: () => now });
    recent = new RecentEvents();
    forgotten = [];
  });
  afterEach(() => storage.close());

  function serviceWith(options: Partial<RetentionOptions> = {}): RetentionService {
    const { retention, log } = storage;
    const memory = { forget: async (threadId: string) => void forgotten.push(threadId) };
    return new RetentionService(
      { retention, log, recent, memory },
      { compactAfterMs: HOUR, ...options },
      () => now,
    );
  }

  /** A run of so many words and its end. Its text has no `text-start`, so a reader is what joins it. */
  async function endedRun(id: string, words = 10): Promise<readonly RecordedEvent[]> {
    const run = await ownedRun(storage, id);
    const opening: RecordedEvent = {
      ...(batchOf(run, 0).events[0] as RecordedEvent),
      event: { type: 'text-start', partId: 'p1', stepId: 's1', messageId: 'm1' },
    };
    const batches = [
      { ...batchOf(run, 0), events: [opening] },
      batchOf(run, 1, words),
      endingOf(run, words + 1),
    ];
    await storage.log.append(batches);
    const events = batches.flatMap((batch) => batch.events);
    recent.add(id, events);
    return events;
  }

  it('compacts each log once, an hour after its end and not before', async () => {
    const whole = await endedRun('r1');
    now += HOUR;
    await serviceWith().sweep();
    expect(await storage.log.read('r1', 0, 100)).toEqual(whole);
    now += 1;
    await serviceWith().sweep();
    expect(await storage.log.read('r1', 0, 100)).toEqual(compactLog(whole));
    expect(compactLog(whole)).toHaveLength(3);
    expect(await storage.retention.listUncompacted({ endedBefore: now, limit: 10 })).toEqual([]);
  });

  it('compacts any number of logs in one sweep, and leaves those of runs that go on', async () => {
    for (let index = 0; index < 120; index += 1) await endedRun(`r${index}`, 2);
    const running = await ownedRun(storage, 'running');
    await storage.log.append([batchOf(running, 0, 50)]);
    now += DAY;
    await serviceWith().sweep();
    expect(await storage.retention.listUncompacted({ endedBefore: now, limit: 10 })).toEqual([]);
    expect(await storage.log.read('running', 0, 100)).toHaveLength(50);
  });

  it('stops a reader in the middle of a log that is compacted; its cursor is expired, and from the start it sees every word once', async () => {
    const whole = await endedRun('r1', 1_000);
    recent.forget('r1');
    const feed = new RunFeed(storage.log, recent, storage.wakeups);
    const paused = Promise.withResolvers<void>();
    const seen: RecordedEvent[] = [];
    const stopped = Promise.withResolvers<void>();
    feed.follow({ runId: 'r1', afterSeq: 0, ready: () => paused.promise }).subscribe({
      next: (recorded) => seen.push(recorded),
      complete: stopped.resolve,
    });
    await firstValueFrom(feed.follow({ runId: 'r1', afterSeq: 500 }));
    expect(seen.length).toBeLessThan(whole.length);

    now += DAY;
    await serviceWith().sweep();
    paused.resolve();
    await stopped.promise;
    expect(seen).toEqual(whole.slice(0, seen.length));

    const run = await storage.runs.get('r1');
    const last = seen.at(-1);
    if (!run || !last) throw new Error('The run and what was seen of it are there.');
    const cursors = new CursorCheck(storage.log);
    expect(await cursors.place(run, formatCursor(last))).toMatchObject({
      reset: 'expired',
      cursor: { seq: 0 },
    });
    const again = await lastValueFrom(feed.follow({ runId: 'r1', afterSeq: 0 }).pipe(toArray()));
    expect(textOf(foldRun('r1', again))).toBe(textOf(foldRun('r1', whole)));
  });

  it('honours the cursor of a reader that stands where an event still is', async () => {
    const whole = await endedRun('r1', 1_000);
    now += DAY;
    await serviceWith().sweep();
    const run = await storage.runs.get('r1');
    if (!run) throw new Error('The run is there.');
    const cursors = new CursorCheck(storage.log);
    const resetOf = async (seq: number, epoch = 1) =>
      (await cursors.place(run, formatCursor({ runId: 'r1', epoch, seq }))).reset;
    expect(await Promise.all([1, 2, 500, 1_001, 1_002, 1_003].map((seq) => resetOf(seq)))).toEqual([
      undefined,
      'expired',
      'expired',
      undefined,
      undefined,
      'unknown',
    ]);
    expect(await resetOf(1_001, 2)).toBe('other-history');

    const feed = new RunFeed(storage.log, recent, storage.wakeups);
    for (const seq of [1, 1_001]) {
      const rest = await lastValueFrom(feed.follow({ runId: 'r1', afterSeq: seq }).pipe(toArray()));
      const joined = foldRun('r1', [...whole.slice(0, seq), ...rest]);
      expect(joined).toEqual(foldRun('r1', whole));
    }
  });

  it('removes threads that nothing has happened in for too long, and makes the agents forget them', async () => {
    await endRun(storage, await ownedRun(storage, 'old', { threadId: 't1' }));
    now += 2 * DAY;
    await endRun(storage, await ownedRun(storage, 'new', { threadId: 't2' }));
    now += 2 * DAY;
    await serviceWith({ maxAgeMs: 3 * DAY }).sweep();
    expect(await storage.runs.getThread('t1')).toBeUndefined();
    expect(await storage.runs.getThread('t2')).toBeDefined();
    expect(forgotten).toEqual(['t1']);
  });

  it('removes the threads that are unchanged for longest until the data is small enough', async () => {
    const ids = ['r1', 'r2', 'r3', 'r4'];
    for (const id of ids) {
      await endedRun(id, 100);
      now += 1;
    }
    const all = await storage.retention.usedBytes();
    await serviceWith({ maxBytes: all * 0.6 }).sweep();
    expect(forgotten).toEqual(['thread-of-r1', 'thread-of-r2']);
    expect(await storage.retention.usedBytes()).toBeLessThanOrEqual(all * 0.6);
  });

  it('looks less often at how much there is the more has to go, and removes hardly more than that', async () => {
    for (let index = 0; index < 100; index += 1) await endedRun(`r${index}`, 10);
    const [all, look] = [await storage.retention.usedBytes(), jest.spyOn(storage.retention, 'usedBytes')];
    await serviceWith({ maxBytes: all * 0.4 }).sweep();
    expect(look.mock.calls.length).toBeLessThan(45);
    expect(forgotten.length).toBeGreaterThanOrEqual(59);
    expect(forgotten.length).toBeLessThanOrEqual(68);
    look.mockRestore();
  });

  it('keeps what runs or waits to run, though the data stays over its limit', async () => {
    const run = await ownedRun(storage, 'running');
    await storage.log.append([batchOf(run, 0, 100)]);
    await storage.runs.create(newRun('waiting'));
    await serviceWith({ maxBytes: 1, maxAgeMs: 1 }).sweep();
    expect(forgotten).toEqual([]);
    expect(await claimRun(storage)).toMatchObject({ id: 'waiting' });
  });

  it('begins a minute after its start, and when it is stopped finishes no more than the piece in hand', async () => {
    for (let index = 0; index < 20; index += 1) await endedRun(`r${index}`, 2);
    now += DAY;
    const left = async () =>
      (await storage.retention.listUncompacted({ endedBefore: now, limit: 100 })).length;
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    try {
      const service = serviceWith();
      service.start();
      jest.advanceTimersByTime(59_999);
      expect(await left()).toBe(20);
      jest.advanceTimersByTime(1);
      await service.stop();
      expect(await left()).toBe(19);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('goes on with the other logs when one cannot be read', async () => {
    await endedRun('r1');
    await endedRun('r2');
    now += DAY;
    const read = storage.log.read.bind(storage.log);
    const { retention, log } = storage;
    jest.spyOn(log, 'read').mockImplementation(async (runId, afterSeq, limit) => {
      if (runId === 'r1') throw new AppError('STORAGE_FAILED', 'The page is damaged.');
      return read(runId, afterSeq, limit);
    });
    await serviceWith().sweep();
    expect(await retention.listUncompacted({ endedBefore: now, limit: 10 })).toEqual(['r1']);
  });
});
