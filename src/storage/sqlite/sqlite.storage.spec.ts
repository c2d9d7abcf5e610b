import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copySqlite } from '../../testing/cluster/sqlite.copy.testing.js';
import { describeStorage } from '../../testing/storage/storage.contract.js';
import { emptyStorage } from '../../testing/storage/storage.emptying.js';
import type { StorageFactory } from '../../testing/storage/storage.harness.js';
import { SqliteStorage } from './sqlite.storage.js';

/** One storage for all tests, emptied after each: its worker takes longer to start than most tests take. */
function oneStorage(directoryOf: () => Promise<string>): StorageFactory {
  let now = Date.now();
  let storage: SqliteStorage | undefined;
  let directory: string | undefined;
  afterAll(async () => {
    await storage?.close();
    if (directory && directory !== ':memory:') await rm(directory, { recursive: true });
  });

  const open = async () => {
    directory ??= await directoryOf();
    storage = new SqliteStorage({ directory, keepCheckpoints: 'all', clock: () => now });
    await storage.open();
    return storage;
  };
  return async () => {
    let current = storage ?? (await open());
    return {
      storage: current,
      advance: (ms) => {
        now += ms;
      },
      reopen: async () => {
        await current.close();
        current = await open();
        return current;
      },
      backup: async () => {
        const putBack = await copySqlite(directory ?? '');
        return async () => {
          await current.close();
          await putBack();
          current = await open();
          return current;
        };
      },
      dispose: () => emptyStorage(current),
    };
  };
}

const framework = { describe, it, expect };
const inDirectory = oneStorage(() => mkdtemp(join(tmpdir(), 'sqlite-storage-')));
describeStorage(framework, 'SqliteStorage in a directory', inDirectory, {
  exclusive: true,
  restorable: true,
});
const inMemory = oneStorage(async () => ':memory:');
describeStorage(framework, 'SqliteStorage in memory', inMemory, { durable: false });
