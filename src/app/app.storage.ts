import { AppError } from '../errors.js';
import { SqliteStorage } from '../storage/sqlite/sqlite.storage.js';
import type { Storage } from '../storage/storage.js';
import { PostgresOpenStreams } from '../throttling/postgres.open-streams.js';
import { PostgresRunStartCounter } from '../throttling/postgres.run-start.counter.js';
import { RedisOpenStreams } from '../throttling/redis.open-streams.js';
import { RedisRunStartCounter } from '../throttling/redis.run-start.counter.js';
import type { ThrottlingCounters } from '../throttling/throttling.options.js';
import type { Config } from './config.js';

/** Where the standalone app keeps its runs, and where it counts. */
export interface AppStorage {
  readonly storage: Storage;
  /** Absent: in this process. */
  readonly counters?: ThrottlingCounters;
}

/**
 * The storage that the settings ask for. Drivers of servers that are not used are not loaded, and need not be installed.
 *
 * @throws AppError CONFIG_INVALID when a driver is needed and is not there
 */
export async function storageFor({ storage }: Pick<Config, 'storage'>): Promise<AppStorage> {
  const { database, redisUrl, dataDir, synchronous } = storage;
  if (!database) {
    const sqlite = { directory: dataDir, synchronous: synchronous === 'full' ? 'FULL' : 'NORMAL' } as const;
    return { storage: new SqliteStorage(sqlite) };
  }
  const { PostgresStorage } = await driver(
    'DATABASE_URL',
    'pg @langchain/langgraph-checkpoint-postgres',
    () => import('../storage/postgres/postgres.storage.js'),
  );
  if (!redisUrl) {
    const postgres = new PostgresStorage(database);
    return {
      storage: postgres,
      counters: {
        runStarts: new PostgresRunStartCounter(postgres.database),
        openStreams: (limit) => new PostgresOpenStreams(postgres.database, limit),
      },
    };
  }
  const { RedisHints } = await driver(
    'REDIS_URL',
    'ioredis',
    () => import('../storage/redis/redis.hints.js'),
  );
  const hints = new RedisHints(redisUrl);
  return {
    storage: new PostgresStorage({ ...database, hints }),
    counters: {
      runStarts: new RedisRunStartCounter(hints.client),
      openStreams: (limit) => new RedisOpenStreams(hints.client, limit),
    },
  };
}

async function driver<Module>(
  setting: string,
  packages: string,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new AppError(
      'CONFIG_INVALID',
      `${setting} needs a driver that is not installed: npm i ${packages}`,
      { cause },
    );
  }
}
