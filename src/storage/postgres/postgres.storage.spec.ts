import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PostgresServer, type SharedPostgres } from '../../../test/harness/cluster/postgres.server.js';
import { describeStorage } from '../../testing/storage/storage.contract.js';
import type { StorageHarness } from '../../testing/storage/storage-harness.js';
import {
  advanceClock,
  copyTables,
  emptySchema,
  schemaName,
  stopClock,
  tablesWith,
} from './postgres.testing.js';
import { PostgresStorage } from './postgres.storage.js';

let server: SharedPostgres;

beforeAll(async () => {
  server = await PostgresServer.shared();
});

afterAll(() => server?.stop());

const schema = schemaName();

async function makeHarness(): Promise<StorageHarness> {
  const open = async () => {
    const storage = new PostgresStorage({ url: server.url, schema });
    await storage.open();
    return storage;
  };
  let storage = await open();
  await stopClock(storage.database);
  return {
    storage,
    advance: (ms) => advanceClock(storage.database, ms),
    reopen: async () => {
      await storage.close();
      storage = await open();
      return storage;
    },
    backup: async () => {
      const restore = await copyTables(storage.database);
      return async () => {
        await restore();
        return storage;
      };
    },
    whereIs: (text) => tablesWith(storage.database, text),
    dispose: async () => {
      await emptySchema(storage.database);
      await storage.close();
    },
  };
}

describeStorage({ describe, it, expect }, 'PostgresStorage', makeHarness, { restorable: true });
