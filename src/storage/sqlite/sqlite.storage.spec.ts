import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { copySqlite } from '../../../test/harness/cluster/sqlite-copy.testing.js';
import { describeStorage } from '../../testing/storage/storage.contract.js';
import { emptyStorage } from '../../testing/storage/storage-emptying.js';
import type { StorageFactory } from '../../testing/storage/storage-harness.js';
import { SqliteStorage } from './sqlite.storage.js';

/** The tables with a row that has this text in it, as any other process would read them. */
function tablesWith(directory: string, text: string): string[] {
  const db = new DatabaseSync(join(directory, 'agent-stream.db'), { readOnly: true });
  try {
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    return tables
      .map(({ name }) => String(name))
      .filter((name) =>
        db
          .prepare(`SELECT * FROM "${name}"`)
          .all()
          .some((row) => Object.values(row).some((value) => toText(value).includes(text))),
      );
  } finally {
    db.close();
  }
}

/** Returns a value as text: of bytes, what an editor would show. */
function toText(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value);
}

/** One storage for all tests, emptied after each: its worker takes longer to start than most tests take. */
function oneStorage(getDirectory: () => Promise<string>): StorageFactory {
  let now = Date.now();
  let storage: SqliteStorage | undefined;
  let directory: string | undefined;
  afterAll(async () => {
    await storage?.close();
    if (directory && directory !== ':memory:') await rm(directory, { recursive: true });
  });

  const open = async () => {
    directory ??= await getDirectory();
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
      ...(directory !== ':memory:' && { whereIs: async (text: string) => tablesWith(directory ?? '', text) }),
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
