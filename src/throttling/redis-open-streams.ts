import { KEY_PREFIX, NOW, type RedisScripts } from './redis-scripts.js';
import { HOLD_MS, SharedOpenStreams, type HeldSlot } from './shared-open-streams.js';

/** KEYS: the principal's places, by the moment until which they are held. ARGV: a place, the limit, how long. */
const TAKE = `${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`;

/** Also puts back what Redis has forgotten in a restart: the stream is still open. */
const PROLONG = `${NOW}
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

const GIVE_BACK = `redis.call('ZREM', KEYS[1], ARGV[1])`;

/**
 * Open streams over all instances, in Redis. While it is away no instance refuses any but those that are too many by its own
 * count: a limit is not worth an outage.
 */
export class RedisOpenStreams extends SharedOpenStreams {
  private readonly own = new Map<string, number>();

  constructor(
    private readonly redis: RedisScripts,
    limit: number,
  ) {
    super(limit);
  }

  protected override async take(place: HeldSlot): Promise<boolean> {
    const { id, principal } = place;
    const open = this.own.get(principal) ?? 0;
    const taken = await this.redis.eval(TAKE, 1, toKey(place), id, this.limit, HOLD_MS).then(
      (answer) => answer === 1,
      () => open < this.limit,
    );
    if (taken) this.own.set(principal, (this.own.get(principal) ?? 0) + 1);
    return taken;
  }

  protected override async prolong(places: readonly HeldSlot[]): Promise<void> {
    await Promise.all(places.map((place) => this.redis.eval(PROLONG, 1, toKey(place), place.id, HOLD_MS)));
  }

  protected override async giveBack(place: HeldSlot): Promise<void> {
    const left = (this.own.get(place.principal) ?? 1) - 1;
    if (left > 0) this.own.set(place.principal, left);
    else this.own.delete(place.principal);
    await this.redis.eval(GIVE_BACK, 1, toKey(place), place.id);
  }
}

function toKey({ principal }: HeldSlot): string {
  return `${KEY_PREFIX}open-streams:${principal}`;
}
