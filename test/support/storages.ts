import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { schemaName } from '../../src/storage/postgres/postgres.testing.js';
import { PostgresStorage } from '../../src/storage/postgres/postgres.storage.js';
import { MemoryStorage } from '../../src/storage/memory/memory.storage.js';
import type { PostgresStorageOptions } from '../../src/storage/postgres/postgres-storage.options.js';
import { SqliteStorage, type SqliteStorageOptions } from '../../src/storage/sqlite/sqlite.storage.js';
import type { Storage } from '../../src/storage/storage.js';
import { PostgresServer, type SharedPostgres } from '../harness/cluster/postgres.server.js';

/** The storages that promise the same under concurrency. */
export const SHARED_KINDS = ['sqlite', 'postgres'] as const;
export type StorageKind = (typeof SHARED_KINDS)[number];

/** Options that both kinds have. */
export type StorageChoices = Pick<SqliteStorageOptions & PostgresStorageOptions, 'statesMaxBytes'>;

export interface TestStorages {
  /** Makes an empty storage. Whoever gets it opens and closes it; what it leaves behind is removed after the test. */
  make(kind: StorageKind, options?: StorageChoices): Promise<Storage>;
  /** Makes another one on the same PostgreSQL schema, as another process would. */
  sibling(storage: Storage): Storage;
}

/**
 * Makes the storage of tests that do not care which one they get: in memory, or with TEST_STORAGE=postgres in a schema of its own
 * of the PostgreSQL at TEST_DATABASE_URL, so that one file is run over both.
 */
export function defaultStorage(): Storage {
  if (process.env['TEST_STORAGE'] !== 'postgres') return new MemoryStorage();
  const url = process.env['TEST_DATABASE_URL'];
  if (url === undefined)
    throw new Error('TEST_STORAGE=postgres needs a PostgreSQL at TEST_DATABASE_URL. `npm test` starts one.');
  // Few connections: many tests run side by side.
  return new PostgresStorage({ url, schema: schemaName(), poolSize: 4 });
}

/** A PostgreSQL and a directory that the tests of one `describe` share, so that a second storage finds what a first one left. */
export interface SharedData {
  readonly url: string;
  readonly directory: string;
}

/** Starts the PostgreSQL and makes the directory before the tests of a `describe`, and removes both after them. */
export function sharedData(): SharedData {
  const data = { url: '', directory: '' };
  let server: SharedPostgres | undefined;
  beforeAll(async () => {
    server = await PostgresServer.shared();
    data.url = server.url;
    data.directory = await mkdtemp(join(tmpdir(), 'shared-'));
  });
  afterAll(async () => {
    await server?.stop();
    await rm(data.directory, { recursive: true, force: true });
  });
  return data;
}

/** Storages for the tests of one file, which share one PostgreSQL. It is started by the first test that needs it. */
export function testStorages(): TestStorages {
  let server: Promise<SharedPostgres> | undefined;
  const directories: string[] = [];
  const schemas = new Map<Storage, { readonly url: string; readonly schema: string }>();

  afterEach(async () => {
    for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
  });
  afterAll(async () => (await server)?.stop());

  return {
    make: async (kind, choices = {}) => {
      if (kind === 'sqlite') {
        const directory = await mkdtemp(join(tmpdir(), 'storage-'));
        directories.push(directory);
        return new SqliteStorage({ directory, ...choices });
      }
      const options = {
        url: (await (server ??= PostgresServer.shared())).url,
        schema: schemaName(),
        ...choices,
      };
      const storage = new PostgresStorage(options);
      schemas.set(storage, options);
      return storage;
    },
    sibling: (storage) => {
      const options = schemas.get(storage);
      if (!options) throw new Error('Only a PostgresStorage of these can have a sibling.');
      return new PostgresStorage(options);
    },
  };
}
