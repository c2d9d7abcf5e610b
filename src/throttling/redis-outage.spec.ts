import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RedisHints } from '../storage/redis/redis-hints.js';
import { SharedWakeups } from '../storage/shared-wakeups.js';
import { RedisServer } from '../../test/harness/cluster/redis.server.js';
import { hasRedisServer } from '../../test/harness/cluster/redis.testing.js';
import { RedisOpenStreams } from './redis-open-streams.js';
import { RedisRunStartCounter } from './redis-run-start.counter.js';
import { HOLD_MS } from './shared-open-streams.js';

const ANN = { userId: 'ann', tenant: 'acme' };
const LIMIT = 2;

/** One process that counts in Redis. */
class Instance {
  readonly streams: RedisOpenStreams;
  private readonly starts: RedisRunStartCounter;

  constructor(readonly hints: RedisHints) {
    this.streams = new RedisOpenStreams(hints.client, LIMIT);
    this.starts = new RedisRunStartCounter(hints.client);
  }

  /** True if a start was let through. */
  async mayStart(): Promise<boolean> {
    return !(await this.starts.increment('run-start:ann', 60_000, LIMIT, 0, 'default')).isBlocked;
  }

  /** True if a stream could be opened; it stays open. */
  mayOpen(): Promise<boolean> {
    return this.streams.acquire(ANN).then(
      () => true,
      () => false,
    );
  }
}

(hasRedisServer(process.env) ? describe : describe.skip)('limits in Redis during its outage', () => {
  let server: RedisServer;
  let one: Instance;
  let other: Instance;

  beforeEach(async () => {
    // Held places are prolonged by an interval, which a test cannot wait for.
    jest.useFakeTimers({
      doNotFake: [
        'Date',
        'nextTick',
        'performance',
        'queueMicrotask',
        'setImmediate',
        'setTimeout',
        'clearTimeout',
      ],
    });
    server = await RedisServer.start();
    [one, other] = await Promise.all([instanceOn(server), instanceOn(server)]);
  });
  afterEach(async () => {
    for (const { hints } of [one, other]) await hints.close();
    await server.stop();
    jest.useRealTimers();
  });

  async function restart(): Promise<void> {
    // Attempts before the server is back fail with `error`, which `once` of node:events would reject with.
    const back = [one, other].map(
      ({ hints }) => new Promise<void>((resolve) => hints.client.once('ready', () => resolve())),
    );
    await server.restart();
    await Promise.all(back);
  }

  it('limits in each instance, without holding up callers, while Redis is down', async () => {
    expect([await one.mayStart(), await other.mayStart(), await one.mayStart()]).toEqual([true, true, false]);
    expect([await one.mayOpen(), await other.mayOpen(), await one.mayOpen()]).toEqual([true, true, false]);
    await server.kill();
    for (const each of [one, other]) {
      expect([await each.mayStart(), await each.mayStart(), await each.mayStart()]).toEqual([
        true,
        true,
        false,
      ]);
      // It knows of the one that it has open already.
      expect([await each.mayOpen(), await each.mayOpen()]).toEqual([true, false]);
    }
  });

  it('limits over all instances again, from zero, when Redis is back', async () => {
    expect([await one.mayStart(), await other.mayStart(), await one.mayStart()]).toEqual([true, true, false]);
    await server.kill();
    await restart();
    expect([await one.mayStart(), await other.mayStart(), await one.mayStart()]).toEqual([true, true, false]);
  });

  it('counts streams that are still open when Redis is back without its data', async () => {
    const release = await one.streams.acquire(ANN);
    expect(await other.mayOpen()).toBe(true);
    await server.kill();
    await restart();
    jest.advanceTimersByTime(HOLD_MS / 3);
    await eventually(async () => (await placesIn(one)) === 2);
    expect([await one.mayOpen(), await other.mayOpen()]).toEqual([false, false]);
    release();
    await eventually(async () => (await placesIn(one)) === 1);
    expect(await other.mayOpen()).toBe(true);
  });
});

async function instanceOn(server: RedisServer): Promise<Instance> {
  const hints = new RedisHints(server.url);
  await hints.open(new SharedWakeups(hints));
  return new Instance(hints);
}

/** Returns the number of slots that Redis knows to be taken, of all principals. */
async function placesIn({ hints }: Instance): Promise<number> {
  const keys = await hints.client.keys('*open-streams*');
  const counts = await Promise.all(keys.map((key) => hints.client.zcard(key)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Waits for a slot's release or return, which is not announced. */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}
