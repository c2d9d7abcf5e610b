// Beside a shared storage: hints and counters in Redis or Valkey.
import { loadWith } from './optional-packages.js';

const PACKAGES = ['ioredis'];

type HintsModule = typeof import('./storage/redis/redis-hints.js');

export const { RedisHints } = loadWith(PACKAGES, './storage/redis/redis-hints.js') as HintsModule;
export type RedisHints = InstanceType<typeof RedisHints>;
