import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { PostgresStorage } from '../storage/postgres/postgres.storage.js';
import { advanceClock, schemaName, stopClock } from '../storage/postgres/postgres.testing.js';
import { RedisHints } from '../storage/redis/redis-hints.js';
import { SharedWakeups } from '../storage/shared-wakeups.js';
import { PostgresServer, type SharedPostgres } from '../../test/harness/cluster/postgres.server.js';
import { redisForTests } from '../../test/harness/cluster/redis.testing.js';
import type { Release } from './open-streams.js';
import { PostgresOpenStreams } from './postgres-open-streams.js';
import { PostgresRunStartCounter } from './postgres-run-start.counter.js';
import { RedisOpenStreams } from './redis-open-streams.js';
import { RedisRunStartCounter } from './redis-run-start.counter.js';
import type { RunStartCounter } from './run-start.counter.js';
import { HOLD_MS, type SharedOpenStreams } from './shared-open-streams.js';

const ANN = { userId: 'ann', tenant: 'acme' };
const BOB = { userId: 'bob', tenant: 'acme' };
const MINUTE = 60_000;

/** Two instances with shared counters, and the clock that only a test can move. */
interface Instances {
  readonly counters: readonly [RunStartCounter, RunStartCounter];
  readonly streams: readonly [SharedOpenStreams, SharedOpenStreams];
  readonly advance?: (ms: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

let database: SharedPostgres;
const redis = redisForTests(process.env);

beforeAll(async () => {
  database = await PostgresServer.shared();
});
afterAll(() => database?.stop());

async function onPostgres(limit: number): Promise<Instances> {
  const schema = schemaName();
  const storages = [0, 1].map(() => new PostgresStorage({ url: database.url, schema }));
  const [one, other] = storages as [PostgresStorage, PostgresStorage];
  for (const storage of storages) await storage.open();
  await stopClock(one.database);
  return {
    counters: [new PostgresRunStartCounter(one.database), new PostgresRunStartCounter(other.database)],
    streams: [new PostgresOpenStreams(one.database, limit), new PostgresOpenStreams(other.database, limit)],
    advance: (ms) => advanceClock(one.database, ms),
    close: async () => {
      for (const storage of storages) await storage.close();
    },
  };
}

async function onRedis(limit: number): Promise<Instances> {
  const hints = [0, 1].map(() => new RedisHints(redis.url));
  const [one, other] = hints as [RedisHints, RedisHints];
  for (const each of hints) await each.open(new SharedWakeups(each));
  await one.client.flushall();
  return {
    counters: [new RedisRunStartCounter(one.client), new RedisRunStartCounter(other.client)],
    streams: [new RedisOpenStreams(one.client, limit), new RedisOpenStreams(other.client, limit)],
    close: async () => {
      for (const each of hints) await each.close();
    },
  };
}

const SHARED = [['PostgreSQL', onPostgres], ...(redis.isThere ? [['Redis', onRedis] as const] : [])] as const;

describe.each(SHARED)('limits over two instances on %s', (_name, make) => {
  let instances: Instances;
  afterEach(() => instances.close());

  it('allows as many run starts a minute over two instances as over one, for each principal', async () => {
    instances = await make(1);
    const hit = (index: number, principal = 'ann') =>
      instances.counters[index % 2 === 0 ? 0 : 1].increment(
        `run-start:${principal}`,
        MINUTE,
        3,
        0,
        'default',
      );
    for (let index = 0; index < 3; index += 1) {
      expect(await hit(index)).toMatchObject({
        totalHits: index + 1,
        isBlocked: false,
        timeToBlockExpire: 0,
      });
    }
    for (let index = 3; index < 6; index += 1) {
      const refused = await hit(index);
      expect(refused).toMatchObject({ totalHits: 4, isBlocked: true });
      expect(refused.timeToBlockExpire).toBeGreaterThan(50);
      expect(refused.timeToBlockExpire).toBeLessThanOrEqual(60);
    }
    expect(await hit(0, 'bob')).toMatchObject({ totalHits: 1, isBlocked: false });
  });

  it('allows a run start again after another instance gave one back', async () => {
    instances = await make(1);
    const [one, other] = instances.counters;
    const hit = () => one.increment('run-start:ann', MINUTE, 2, 0, 'default');
    for (const isBlocked of [false, false, true, true]) expect(await hit()).toMatchObject({ isBlocked });
    await other.giveBack('run-start:ann');
    for (const isBlocked of [false, true]) expect(await hit()).toMatchObject({ isBlocked });
    for (let index = 0; index < 4; index += 1) await other.giveBack('run-start:ann');
    for (const isBlocked of [false, false, true]) expect(await hit()).toMatchObject({ isBlocked });
  });

  it('allows no more concurrent run starts than the limit over two instances', async () => {
    instances = await make(1);
    const hits = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        instances.counters[index % 2 === 0 ? 0 : 1].increment('run-start:ann', MINUTE, 5, 0, 'default'),
      ),
    );
    expect(hits.filter(({ isBlocked }) => !isBlocked)).toHaveLength(5);
  });

  it('allows as many open streams over two instances as over one, and frees slots at a release', async () => {
    instances = await make(3);
    const [one, other] = instances.streams;
    const releases: Release[] = [await one.acquire(ANN), await other.acquire(ANN), await one.acquire(ANN)];
    for (const streams of instances.streams) {
      await expect(streams.acquire(ANN)).rejects.toMatchObject({ code: 'TOO_MANY_STREAMS' });
    }
    await other.acquire(BOB);
    releases[0]?.();
    releases[0]?.();
    releases.push(await eventually(() => other.acquire(ANN)));
    await expect(one.acquire(ANN)).rejects.toMatchObject({ code: 'TOO_MANY_STREAMS' });
  });

  it('allows no more streams over two instances than the limit when many open at once', async () => {
    instances = await make(4);
    const opened = await Promise.allSettled(
      Array.from({ length: 30 }, (_, index) => instances.streams[index % 2 === 0 ? 0 : 1].acquire(ANN)),
    );
    expect(opened.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
  });
});

describe('limits over two instances on PostgreSQL over time', () => {
  it('allows a start over two instances when the oldest one is a minute old', async () => {
    const { counters, advance, close } = await onPostgres(1);
    const hit = () => counters[0].increment('run-start:ann', MINUTE, 2, 0, 'default');
    await hit();
    await advance?.(20_000);
    await hit();
    expect(await hit()).toMatchObject({ isBlocked: true, timeToBlockExpire: 40 });
    await advance?.(40_000);
    expect(await hit()).toMatchObject({ isBlocked: false });
    expect(await hit()).toMatchObject({ isBlocked: true, timeToBlockExpire: 20 });
    await close();
  });

  it('frees the stream slots of an instance that has died', async () => {
    const { streams, advance, close } = await onPostgres(1);
    await streams[0].acquire(ANN);
    await advance?.(HOLD_MS - 1);
    await expect(streams[1].acquire(ANN)).rejects.toMatchObject({ code: 'TOO_MANY_STREAMS' });
    await advance?.(1);
    await streams[1].acquire(ANN);
    await close();
  });
});

/** Tries until it works: what gives a place back is told to nobody. */
async function eventually<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await attempt();
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
