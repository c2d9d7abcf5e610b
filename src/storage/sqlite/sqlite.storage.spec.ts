import { describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeStorage } from '../../testing/storage/storage.contract.js';
import type { StorageHarness } from '../../testing/storage/storage.harness.js';
import { SqliteStorage, type SqliteStorageOptions } from './sqlite.storage.js';

async function open(options: SqliteStorageOptions): Promise<SqliteStorage> {
  const storage = new SqliteStorage(options);
  await storage.open();
  return storage;
}

async function inDirectory(options: Pick<SqliteStorageOptions, 'synchronous'>): Promise<StorageHarness> {
  const directory = await mkdtemp(join(tmpdir(), 'sqlite-storage-'));
  let now = Date.now();
  const clock = () => now;
  let storage = await open({ directory, clock, ...options });
  return {
    storage,
    advance: (ms) => {
      now += ms;
    },
    reopen: async () => {
      await storage.close();
      storage = await open({ directory, clock, ...options });
      return storage;
    },
    dispose: async () => {
      await storage.close();
      await rm(directory, { recursive: true });
    },
  };
}

async function inMemory(): Promise<StorageHarness> {
  let now = Date.now();
  const storage = await open({ directory: ':memory:', clock: () => now });
  return {
    storage,
    advance: (ms) => {
      now += ms;
    },
    dispose: () => storage.close(),
  };
}

const framework = { describe, it, expect };
describeStorage(framework, 'SqliteStorage in a directory', () => inDirectory({}), { exclusive: true });
describeStorage(framework, 'SqliteStorage in memory', inMemory, { durable: false });
