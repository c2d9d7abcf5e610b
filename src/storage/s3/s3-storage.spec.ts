import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PostgresServer, type SharedPostgres } from '../../../test/harness/cluster/postgres.server.js';
import { S3Server } from '../../../test/harness/s3.server.js';
import { newId } from '../../runs/run-ids.js';
import { describeStorage } from '../../testing/storage/storage.contract.js';
import { emptyStorage } from '../../testing/storage/storage-emptying.js';
import type { StorageHarness } from '../../testing/storage/storage-harness.js';
import { MemoryStorage } from '../memory/memory.storage.js';
import type { ObjectStore } from '../objects/object.store.js';
import { advanceClock, schemaName, stopClock } from '../postgres/postgres.testing.js';
import { PostgresStorage } from '../postgres/postgres.storage.js';
import { SqliteStorage } from '../sqlite/sqlite.storage.js';
import type { Storage } from '../storage.js';
import { S3ObjectStore } from './s3-object.store.js';

const DAY_MS = 24 * 60 * 60_000;

let s3: S3Server;
let postgres: SharedPostgres;

beforeAll(async () => {
  [s3, postgres] = await Promise.all([S3Server.start(), PostgresServer.shared()]);
});
afterAll(async () => {
  await s3?.stop();
  await postgres?.stop();
});

interface Opened {
  readonly storage: Storage;
  readonly advance: (ms: number) => void | Promise<void>;
  readonly close: () => Promise<void>;
}

/** Gives each test a storage with a part of the bucket. When all threads and uploads are deleted, no object may be left there. */
const withBucket = (open: (objects: ObjectStore) => Promise<Opened>) => async (): Promise<StorageHarness> => {
  const prefix = `${newId()}/`;
  const objects = new S3ObjectStore({ ...s3.options, prefix });
  const { storage, advance, close } = await open(objects);
  return {
    storage,
    advance,
    dispose: async () => {
      await emptyStorage(storage);
      while ((await storage.blobs.removeLeftovers(100)) > 0);
      // Those that no row has come to name.
      await advance(DAY_MS);
      while ((await storage.blobs.removeLeftovers(100)) > 0);
      const left = await s3.names(prefix);
      await close();
      expect(left).toEqual([]);
    },
  };
};

const inMemory = withBucket(async (objects) => {
  let now = Date.now();
  const storage = new MemoryStorage({ objects, clock: () => now });
  await storage.open();
  return { storage, advance: (ms) => void (now += ms), close: () => storage.close() };
});

const onSqlite = withBucket(async (objects) => {
  let now = Date.now();
  const storage = new SqliteStorage({
    directory: ':memory:',
    objects,
    keepCheckpoints: 'all',
    clock: () => now,
  });
  await storage.open();
  return { storage, advance: (ms) => void (now += ms), close: () => storage.close() };
});

const onPostgres = withBucket(async (objects) => {
  const storage = new PostgresStorage({ url: postgres.url, schema: schemaName(), objects });
  await storage.open();
  await stopClock(storage.database);
  return {
    storage,
    advance: (ms) => advanceClock(storage.database, ms),
    close: async () => {
      await storage.database.query(`DROP SCHEMA ${storage.database.schema} CASCADE`);
      await storage.close();
    },
  };
});

const framework = { describe, it, expect };
describeStorage(framework, 'MemoryStorage with a bucket', inMemory, { durable: false });
describeStorage(framework, 'SqliteStorage with a bucket', onSqlite, { durable: false });
describeStorage(framework, 'PostgresStorage with a bucket', onPostgres, { durable: false });
