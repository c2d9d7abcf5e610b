// Beside a shared storage: hints and counters in Redis or Valkey. Needs the package ioredis.
export { RedisHints } from './storage/redis/redis.hints.js';
export { RedisOpenStreams } from './throttling/redis.open-streams.js';
export { RedisRunStartCounter } from './throttling/redis.run-start.counter.js';
