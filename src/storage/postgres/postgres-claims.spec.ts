import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { PostgresServer, type SharedPostgres } from '../../../test/harness/cluster/postgres.server.js';
import { LEASE_MS, ownedRun, toOwnership } from '../../testing/storage/storage-samples.js';
import { schemaName } from './postgres.testing.js';
import { PostgresStorage } from './postgres.storage.js';

let server: SharedPostgres;
const opened: PostgresStorage[] = [];

beforeAll(async () => {
  server = await PostgresServer.shared();
});
afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close();
});
afterAll(() => server?.stop());

/** With one connection for requests, so that each statement follows on the same one. */
async function open(): Promise<PostgresStorage> {
  const storage = new PostgresStorage({ url: server.url, schema: schemaName(), poolSize: 1 });
  opened.push(storage);
  await storage.open();
  return storage;
}

describe('claims on PostgreSQL', () => {
  it('leaves synchronous commit on for statements that follow a claim or renewal', async () => {
    const storage = await open();
    const run = await ownedRun(storage, 'r1');
    await storage.runs.renew({ runs: [toOwnership(run)], leaseMs: LEASE_MS });
    expect(await storage.database.query('SHOW synchronous_commit')).toEqual([{ synchronous_commit: 'on' }]);
  });
});
