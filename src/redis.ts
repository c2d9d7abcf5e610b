// Beside a shared storage: hints and counters in Redis or Valkey.
import { loadWith } from './optional.packages.js';

const PACKAGES = ['ioredis'];

type HintsModule = typeof import('./storage/redis/redis.hints.js');
type StreamsModule = typeof import('./throttling/redis.open-streams.js');
type StartsModule = typeof import('./throttling/redis.run-start.counter.js');

export const { RedisHints } = loadWith(PACKAGES, './storage/redis/redis.hints.js') as HintsModule;
export type RedisHints = InstanceType<typeof RedisHints>;

export const { RedisOpenStreams } = loadWith(PACKAGES, './throttling/redis.open-streams.js') as StreamsModule;
export type RedisOpenStreams = InstanceType<typeof RedisOpenStreams>;

export const { RedisRunStartCounter } = loadWith(
  PACKAGES,
  './throttling/redis.run-start.counter.js',
) as StartsModule;
export type RedisRunStartCounter = InstanceType<typeof RedisRunStartCounter>;
