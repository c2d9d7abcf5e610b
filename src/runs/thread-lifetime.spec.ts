import { Logger } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { MemoryStorage } from '../storage/memory/memory.storage.js';
import { ALICE } from '../testing/storage/storage-samples.js';
import { EventCache } from './event.cache.js';
import { RetentionService } from './retention.service.js';

// What retention logs is not what is tested.
Logger.overrideLogger(false);

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

describe('the lifetime of a thread', () => {
  it('ends in its deletion, with its files, without any rule of the operator', async () => {
    let now = 1_800_000_000_000;
    const storage = new MemoryStorage({ clock: () => now });
    const { retention, items, blobs, log, runs } = storage;
    const deps = { retention, items, blobs, log, runs, recent: new EventCache() };
    const service = new RetentionService(deps, { compactAfterMs: HOUR }, () => now);
    const { userId, tenant } = ALICE;
    const owner = { userId, tenant };
    const create = (id: string, ttlMs?: number) =>
      storage.runs.createThread({ id, owner, key: `key-${id}`, ...(ttlMs !== undefined && { ttlMs }) });
    await create('short', HOUR);
    await create('long', DAY);
    await create('endless');
    const file = {
      id: 'file',
      owner,
      threadKey: 'key-short',
      mediaType: 'text/plain',
      data: Buffer.from('x'),
    };
    expect(await storage.blobs.put(file, 1_000)).toBe('stored');
    const listIds = async () =>
      (await storage.runs.listThreads(ALICE, { limit: 10 })).items.map(({ id }) => id).sort();
    now += HOUR - 1;
    await service.sweep();
    expect(await listIds()).toEqual(['endless', 'long', 'short']);
    now += 1;
    await service.sweep();
    expect(await listIds()).toEqual(['endless', 'long']);
    expect(await storage.blobs.describe(ALICE, ['file'])).toEqual([]);
    now += 365 * DAY;
    await service.sweep();
    expect(await listIds()).toEqual(['endless']);
  });
});
