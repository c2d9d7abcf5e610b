import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { CursorCheck } from '../streams/run-reader.js';
import { AppError } from '../errors.js';
import { compactLog } from '../events/compact-log.js';
import { formatCursor } from '../events/cursor.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import { foldRun, getText } from '../events/run-view.js';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import { MapObjectStore } from '../storage/objects/map-object.store.testing.js';
import {
  ALICE,
  toBatch,
  claimRun,
  toEnding,
  endRun,
  newRun,
  ownedRun,
} from '../testing/storage/storage-samples.js';
import { EventCache } from './event.cache.js';
import { RetentionService, type RetentionOptions } from './retention.service.js';
import { RunFeed } from './run.feed.js';

// What retention logs is not what is tested.
Logger.overrideLogger(false);

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

describe('RetentionService', () => {
  let now: number;
  let storage: MemoryStorage;
  let recent: EventCache;
  let removed: string[];

  beforeEach(() => {
    now = 1_800_000_000_000;
    storage = new MemoryStorage({ clock: () => now });
    recent = new EventCache();
    removed = [];
    const remove = storage.retention.deleteIdleThreads.bind(storage.retention);
    storage.retention.deleteIdleThreads = async (threads) => {
      const gone = await remove(threads);
      removed.push(...gone.map(({ id }) => id));
      return gone;
    };
  });
  afterEach(async () => {
    jest.useRealTimers();
    await storage.close();
  });

  function serviceWith(options: Partial<RetentionOptions> = {}): RetentionService {
    const { retention, items, blobs, log, runs } = storage;
    return new RetentionService(
      { retention, items, blobs, log, runs, recent },
      { compactAfterMs: HOUR, ...options },
      () => now,
    );
  }

  /** A run of so many words and its end. Its text has no `text-start`, so a reader is what joins it. */
  async function endedRun(id: string, words = 10): Promise<readonly RecordedEvent[]> {
    const run = await ownedRun(storage, id);
    const opening: RecordedEvent = {
      ...(toBatch(run, 0).events[0] as RecordedEvent),
      event: { type: 'text-start', partId: 'p1', stepId: 's1', messageId: 'm1' },
    };
    const batches = [
      { ...toBatch(run, 0), events: [opening] },
      toBatch(run, 1, words),
      toEnding(run, words + 1),
    ];
    await storage.log.append(batches);
    const events = batches.flatMap((batch) => batch.events);
    recent.add(id, events);
    return events;
  }

  it('removes items that have expired, however many', async () => {
    const limits = { maxItems: 1_000, maxBytes: 1_000_000 };
    const item = (key: string, ttlMs?: number) => ({
      namespace: ['a'],
      key,
      value: '{}',
      vectors: [],
      ttlMs,
    });
    const short = Array.from({ length: 250 }, (_, n) => item(String(n), DAY));
    await storage.items.change(ALICE, [...short, item('stays')], limits);
    await serviceWith().sweep();
    now += DAY;
    expect(await storage.items.deleteExpired(1)).toBe(1);
    await serviceWith().sweep();
    expect(await storage.items.deleteExpired(1)).toBe(0);
    expect(await storage.items.listNamespaces(ALICE)).toEqual([['a']]);
  });

  it('removes uploads that no message has named, however many', async () => {
    const { blobs } = storage;
    const ids = Array.from({ length: 25 }, (_, n) => `u${n}`);
    const limits = { maxOwnerBytes: 1_000, maxUploads: 100 };
    const file = { owner: ALICE, mediaType: 'text/plain', data: Buffer.from('a') };
    for (const id of ids) await blobs.upload({ ...file, id, keepMs: HOUR }, limits);
    await blobs.upload({ ...file, id: 'stays', keepMs: DAY }, limits);
    await serviceWith().sweep();
    expect(await blobs.describe(ALICE, ids)).toHaveLength(25);
    now += HOUR;
    await serviceWith().sweep();
    expect(await blobs.describe(ALICE, [...ids, 'stays'])).toMatchObject([{ id: 'stays' }]);
  });

  it('removes the bytes of deleted files once a minute, even if nothing else of it works', async () => {
    jest.useFakeTimers();
    const objects = new MapObjectStore();
    storage = new MemoryStorage({ objects });
    const { blobs, retention } = storage;
    const file = { owner: ALICE, id: 'u1', mediaType: 'text/plain', data: Buffer.from('a'), keepMs: HOUR };
    await blobs.upload(file, { maxOwnerBytes: 1_000, maxUploads: 1 });
    await blobs.deleteUploads(ALICE);
    expect(objects.objects.size).toBe(1);
    retention.listUncompacted = () => Promise.reject(new Error('The list cannot be read.'));
    const service = serviceWith();
    service.start();
    await jest.advanceTimersByTimeAsync(61_000);
    expect(objects.objects.size).toBe(0);
    await service.stop();
  });

  it('stops without waiting for a store of objects that does not answer', async () => {
    const objects = new MapObjectStore();
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    objects.delete = (_name, signal?: AbortSignal) => {
      const { promise, reject } = Promise.withResolvers<never>();
      signal?.addEventListener('abort', () => reject(new Error('Given up.')));
      ask();
      return promise;
    };
    storage = new MemoryStorage({ objects });
    const file = { owner: ALICE, id: 'u1', mediaType: 'text/plain', data: Buffer.from('a'), keepMs: HOUR };
    await storage.blobs.upload(file, { maxOwnerBytes: 1_000, maxUploads: 1 });
    await storage.blobs.deleteUploads(ALICE);
    const service = serviceWith();
    const removal = service.removeLeftovers();
    await asked;
    await service.stop();
    await removal;
    expect(objects.objects.size).toBe(1);
  });

  it('compacts each log once, one hour after the end of its run', async () => {
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

  it('compacts any number of logs in one sweep, and none of a running run', async () => {
    for (let index = 0; index < 120; index += 1) await endedRun(`r${index}`, 2);
    const running = await ownedRun(storage, 'running');
    await storage.log.append([toBatch(running, 0, 50)]);
    now += DAY;
    await serviceWith().sweep();
    expect(await storage.retention.listUncompacted({ endedBefore: now, limit: 10 })).toEqual([]);
    expect(await storage.log.read('running', 0, 100)).toHaveLength(50);
  });

  it('stops a reader whose log is compacted, and lets it read the same text from the start', async () => {
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
    expect(await cursors.locate(run, formatCursor(last))).toMatchObject({
      reset: 'expired',
      cursor: { seq: 0 },
    });
    const again = await lastValueFrom(feed.follow({ runId: 'r1', afterSeq: 0 }).pipe(toArray()));
    expect(getText(foldRun('r1', again))).toBe(getText(foldRun('r1', whole)));
  });

  it('accepts the cursor of a reader at an event that compaction has kept', async () => {
    const whole = await endedRun('r1', 1_000);
    now += DAY;
    await serviceWith().sweep();
    const run = await storage.runs.get('r1');
    if (!run) throw new Error('The run is there.');
    const cursors = new CursorCheck(storage.log);
    const findReset = async (seq: number, epoch = 1) =>
      (await cursors.locate(run, formatCursor({ runId: 'r1', epoch, seq }))).reset;
    expect(await Promise.all([1, 2, 500, 1_001, 1_002, 1_003].map((seq) => findReset(seq)))).toEqual([
      undefined,
      'expired',
      'expired',
      undefined,
      undefined,
      'unknown',
    ]);
    expect(await findReset(1_001, 2)).toBe('other-history');

    const feed = new RunFeed(storage.log, recent, storage.wakeups);
    for (const seq of [1, 1_001]) {
      const rest = await lastValueFrom(feed.follow({ runId: 'r1', afterSeq: seq }).pipe(toArray()));
      const joined = foldRun('r1', [...whole.slice(0, seq), ...rest]);
      expect(joined).toEqual(foldRun('r1', whole));
    }
  });

  it('deletes threads that are idle for longer than maxAgeMs', async () => {
    await endRun(storage, await ownedRun(storage, 'old', { threadId: 't1' }));
    now += 2 * DAY;
    await endRun(storage, await ownedRun(storage, 'new', { threadId: 't2' }));
    now += 2 * DAY;
    await serviceWith({ maxAgeMs: 3 * DAY }).sweep();
    expect(await storage.runs.getThread(ALICE, 't1')).toBeUndefined();
    expect(await storage.runs.getThread(ALICE, 't2')).toBeDefined();
    expect(removed).toEqual(['t1']);
  });

  it('deletes the oldest threads until the data is below maxBytes', async () => {
    const ids = ['r1', 'r2', 'r3', 'r4'];
    for (const id of ids) {
      await endedRun(id, 100);
      now += 1;
    }
    const all = await storage.retention.usedBytes();
    await serviceWith({ maxBytes: all * 0.6 }).sweep();
    expect(removed).toEqual(['thread-of-r1', 'thread-of-r2']);
    expect(await storage.retention.usedBytes()).toBeLessThanOrEqual(all * 0.6);
  });

  /** A run of this person that has ended, in a thread of its own. */
  async function createEndedRun(userId: string, id: string, words: number): Promise<void> {
    const run = await ownedRun(storage, id, { principal: { userId, tenant: 'acme', roles: [] } });
    await storage.log.append([toBatch(run, 0, words), toEnding(run, words)]);
    now += 1;
  }

  const areLeft = async (...ids: string[]) => {
    const runs = await Promise.all(ids.map((id) => storage.runs.get(id)));
    return ids.filter((_, index) => runs[index]);
  };

  it('deletes threads of the owner with the most data only, until the data is below maxBytes', async () => {
    await createEndedRun('small', 'small-0', 100);
    await createEndedRun('small', 'small-1', 100);
    for (let index = 0; index < 20; index += 1) await createEndedRun('heavy', `heavy-${index}`, 1_000);
    await createEndedRun('other', 'other-0', 2_000);
    const maxBytes = Math.ceil((await storage.retention.usedBytes()) / 2);
    await serviceWith({ maxBytes }).sweep();
    expect(await storage.retention.usedBytes()).toBeLessThanOrEqual(maxBytes);
    expect(await areLeft('small-0', 'small-1', 'other-0')).toEqual(['small-0', 'small-1', 'other-0']);
    expect(await areLeft('heavy-0', 'heavy-9', 'heavy-19')).toEqual(['heavy-19']);
  });

  it('deletes threads of the owner whose files fill the storage', async () => {
    await createEndedRun('talks', 'talks-0', 1_000);
    await createEndedRun('paints', 'paints-0', 10);
    const { threadKey = '' } = (await storage.runs.get('paints-0')) ?? {};
    const maxBytes = (await storage.retention.usedBytes()) + 50_000;
    const owner = { userId: 'paints', tenant: 'acme' };
    const blob = { owner, threadKey, id: 'image', mediaType: 'image/png', data: new Uint8Array(500_000) };
    expect(await storage.blobs.put(blob, Number.MAX_SAFE_INTEGER)).toBe('stored');
    await serviceWith({ maxBytes }).sweep();
    expect(await areLeft('talks-0', 'paints-0')).toEqual(['talks-0']);
  });

  it('deletes uploads that no message has named before any thread, and only as many as it has to', async () => {
    await createEndedRun('talks', 'talks-0', 1_000);
    await createEndedRun('hoards', 'hoards-0', 10);
    const used = await storage.retention.usedBytes();
    const owner = { userId: 'hoards', tenant: 'acme' };
    const ids = Array.from({ length: 20 }, (_, n) => `u${n}`);
    const fill = async () => {
      const limits = { maxOwnerBytes: Number.MAX_SAFE_INTEGER, maxUploads: 100 };
      const file = { owner, mediaType: 'image/png', data: new Uint8Array(500_000), keepMs: DAY };
      for (const id of ids) await storage.blobs.upload({ ...file, id }, limits);
    };
    for (const options of [{ maxBytes: used + 1_100_000 }, { maxBytesPerOwner: 1_100_000 }]) {
      await fill();
      await serviceWith(options).sweep();
      expect(await areLeft('talks-0', 'hoards-0')).toEqual(['talks-0', 'hoards-0']);
      const left = await storage.blobs.describe(owner, ids);
      expect(left.map(({ id }) => id)).toEqual(expect.arrayContaining(['u19']));
      expect(left.length).toBeGreaterThanOrEqual(1);
      expect(left.length).toBeLessThanOrEqual(2);
      await storage.blobs.deleteUploads(owner);
    }
  });

  it('deletes from the next owner when the threads of the first have running runs', async () => {
    await createEndedRun('heavy', 'heavy-0', 1_000);
    const { threadId } = (await storage.runs.get('heavy-0')) ?? {};
    const principal = { userId: 'heavy', tenant: 'acme', roles: [] };
    await ownedRun(storage, 'going-on', { principal, ...(threadId && { threadId }) });
    await createEndedRun('other', 'other-0', 100);
    await createEndedRun('other', 'other-1', 100);
    await serviceWith({ maxBytes: 1 }).sweep();
    expect(await areLeft('heavy-0', 'going-on', 'other-0', 'other-1')).toEqual(['heavy-0', 'going-on']);
  });

  it('deletes the oldest threads of an owner over the quota, and none of owners below it', async () => {
    await createEndedRun('small', 'small-0', 100);
    for (let index = 0; index < 10; index += 1) await createEndedRun('heavy', `heavy-${index}`, 500);
    const usage = async (userId: string) =>
      (await storage.retention.listUsage(10)).find(({ owner }) => owner.userId === userId)?.bytes ?? 0;
    const maxBytesPerOwner = Math.ceil((await usage('heavy')) / 2);
    await serviceWith({ maxBytesPerOwner }).sweep();
    expect(await usage('heavy')).toBeLessThanOrEqual(maxBytesPerOwner);
    expect(await areLeft('small-0', 'heavy-4', 'heavy-5', 'heavy-9')).toEqual([
      'small-0',
      'heavy-5',
      'heavy-9',
    ]);
  });

  it('measures the data rarely while much has to go, and deletes little more than needed', async () => {
    for (let index = 0; index < 100; index += 1) await endedRun(`r${index}`, 10);
    const [all, look] = [await storage.retention.usedBytes(), jest.spyOn(storage.retention, 'usedBytes')];
    await serviceWith({ maxBytes: all * 0.4 }).sweep();
    expect(look.mock.calls.length).toBeLessThan(45);
    expect(removed.length).toBeGreaterThanOrEqual(59);
    expect(removed.length).toBeLessThanOrEqual(68);
    look.mockRestore();
  });

  it('keeps running and waiting runs even if the data stays over its limit', async () => {
    const run = await ownedRun(storage, 'running');
    await storage.log.append([toBatch(run, 0, 100)]);
    await storage.runs.create(newRun('waiting'));
    await serviceWith({ maxBytes: 1, maxAgeMs: 1 }).sweep();
    expect(removed).toEqual([]);
    expect(await claimRun(storage)).toMatchObject({ id: 'waiting' });
  });

  it('starts a minute after start(), and after stop() finishes only the current item', async () => {
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

  it('makes room before it indexes runs of an earlier version, and gives that up if it fails', async () => {
    await createEndedRun('alice', 'old', 10);
    now += DAY;
    await createEndedRun('alice', 'new', 10);
    const file = { owner: ALICE, id: 'u1', mediaType: 'text/plain', data: Buffer.from('a'), keepMs: 0 };
    await storage.blobs.upload(file, { maxOwnerBytes: 1_000, maxUploads: 1 });
    const left: unknown[] = [];
    const listUnindexed = jest.spyOn(storage.retention, 'listUnindexed');
    const ids = Array.from({ length: 1_000 }, (_, n) => `earlier-${n}`);
    listUnindexed.mockImplementation(async (limit) => ids.slice(0, limit));
    const get = storage.runs.get.bind(storage.runs);
    jest.spyOn(storage.runs, 'get').mockImplementation(async (runId) => {
      if (!runId.startsWith('earlier')) return get(runId);
      left.push([await areLeft('old', 'new'), await storage.blobs.describe(ALICE, ['u1'])]);
      throw new AppError('STORAGE_FAILED', 'The storage is away.', { retryable: true });
    });
    await serviceWith({ maxAgeMs: HOUR }).sweep();
    expect(left).toEqual(Array.from({ length: 10 }, () => [['new'], []]));
  });

  it('compacts the other logs when one cannot be read', async () => {
    await endedRun('r1');
    await endedRun('r2');
    now += DAY;
    const read = storage.log.readPage.bind(storage.log);
    const { retention, log } = storage;
    jest.spyOn(log, 'readPage').mockImplementation(async (runId, afterSeq, limit) => {
      if (runId === 'r1') throw new AppError('STORAGE_FAILED', 'The page is damaged.');
      return read(runId, afterSeq, limit);
    });
    await serviceWith().sweep();
    expect(await retention.listUncompacted({ endedBefore: now, limit: 10 })).toEqual(['r1']);
  });
});
