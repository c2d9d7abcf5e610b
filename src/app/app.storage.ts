import { AppError } from '../errors.js';
import type { ObjectStore } from '../storage/objects/object.store.js';
import { SqliteStorage } from '../storage/sqlite/sqlite.storage.js';
import type { Storage } from '../storage/storage.js';
import type { Config } from './config.js';

/**
 * The storage that the settings ask for. Drivers of servers that are not used are not loaded, and need not be installed.
 *
 * @throws AppError CONFIG_INVALID when a driver is needed and is not there
 */
export async function storageFor({ storage }: Pick<Config, 'storage'>): Promise<Storage> {
  const { sqlite, redisUrl, statesMaxBytes } = storage;
  const { url } = storage.postgres;
  const objects = await objectStoreFor(storage);
  const shared = { statesMaxBytes, ...(objects && { objects }) };
  if (url === undefined) return new SqliteStorage({ ...sqlite, ...shared });
  const options = { ...storage.postgres, url, ...shared };
  const { PostgresStorage } = await driver(
    'DATABASE_URL',
    'pg @langchain/langgraph-checkpoint-postgres',
    () => import('../storage/postgres/postgres.storage.js'),
  );
  if (!redisUrl) return new PostgresStorage(options);
  const { RedisHints } = await driver(
    'REDIS_URL',
    'ioredis',
    () => import('../storage/redis/redis-hints.js'),
  );
  return new PostgresStorage({ ...options, hints: new RedisHints(redisUrl) });
}

async function objectStoreFor({ s3 }: Config['storage']): Promise<ObjectStore | undefined> {
  const { bucket } = s3;
  if (bucket === undefined) return undefined;
  const { S3ObjectStore } = await driver(
    'FILES_S3_BUCKET',
    '@aws-sdk/client-s3',
    () => import('../storage/s3/s3-object.store.js'),
  );
  return new S3ObjectStore({ ...s3, bucket });
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
