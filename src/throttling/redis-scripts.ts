/** A client of the Redis or Valkey that instances share, as far as counting needs it. */
export interface RedisScripts {
  eval(script: string, keyCount: number, ...keysAndArguments: (string | number)[]): Promise<unknown>;
}

/** By the clock of Redis: those of the instances may differ. */
export const NOW = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/** Says what belongs to us in a Redis that others use too. */
export const KEY_PREFIX = 'agent-stream:';
