import { nanoid } from 'nanoid';
import { ThrottlerStorageService } from '@nestjs/throttler';
import { KEY_PREFIX, NOW, type RedisScripts } from './redis-scripts.js';
import { RunStartCounter } from './run-start.counter.js';

/** KEYS: the principal's starts, by their moment. ARGV: the window, the limit, a name for this start. */
const COUNT = `${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])
local hits = redis.call('ZCARD', KEYS[1])
local allowed = hits < tonumber(ARGV[2])
if allowed then
  redis.call('ZADD', KEYS[1], now, ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] or now
return { hits + 1, allowed and 1 or 0, oldest + ARGV[1] - now }`;

const GIVE_BACK = `redis.call('ZPOPMAX', KEYS[1])`;

/** Run starts over all instances, in Redis. While it is away each instance counts for itself: a limit is not worth an outage. */
export class RedisRunStartCounter extends RunStartCounter {
  private readonly alone = new ThrottlerStorageService();

  constructor(private readonly redis: RedisScripts) {
    super();
  }

  override async increment(...parameters: Parameters<RunStartCounter['increment']>) {
    const [key, ttl, limit] = parameters;
    try {
      const counted = await this.redis.eval(COUNT, 1, KEY_PREFIX + key, ttl, limit, nanoid());
      const [totalHits, allowed, waitMs] = counted as [number, number, number];
      const seconds = Math.max(1, Math.ceil(waitMs / 1000));
      return {
        totalHits,
        timeToExpire: seconds,
        isBlocked: allowed === 0,
        timeToBlockExpire: allowed === 0 ? seconds : 0,
      };
    } catch {
      return this.alone.increment(...parameters);
    }
  }

  override async giveBack(key: string): Promise<void> {
    await this.redis.eval(GIVE_BACK, 1, KEY_PREFIX + key);
  }
}
