import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { PostgresServer } from '../../testing/cluster/postgres.server.js';
import { LEASE_MS, claimRun, newRun, ownedRun, ownershipOf } from '../../testing/storage/storage.samples.js';
import { schemaName } from './postgres.testing.js';
import { PostgresStorage } from './postgres.storage.js';

let server: PostgresServer;
const opened: PostgresStorage[] = [];

beforeAll(async () => {
  server = await PostgresServer.start();
}, 60_000);
afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close();
});
afterAll(() => server?.stop(), 30_000);

/** With one connection for requests, so that each statement follows on the same one. */
async function open(): Promise<PostgresStorage> {
  const storage = new PostgresStorage({ url: server.url, schema: schemaName(), poolSize: 1 });
  opened.push(storage);
  await storage.open();
  return storage;
}

describe('claims on PostgreSQL', () => {
  it('has what comes after a claim or a renewal wait for the disk, on the same connection', async () => {
    const storage = await open();
    const run = await ownedRun(storage, 'r1');
    await storage.runs.renew({ runs: [ownershipOf(run)], leaseMs: LEASE_MS });
    expect(await storage.database.query('SHOW synchronous_commit')).toEqual([{ synchronous_commit: 'on' }]);
  });

  it('gives the next place to the tenant with the fewest runs at work', async () => {
    const storage = await open();
    const of = (tenant: string) => ({ userId: 'u', tenant, roles: [] });
    for (let index = 0; index < 4; index += 1) {
      await storage.runs.create(newRun(`busy-${index}`, { principal: of('busy') }));
    }
    await storage.runs.create(newRun('small-0', { principal: of('small') }));
    await storage.runs.create(newRun('other-0', { principal: of('other') }));
    const claimed: (string | undefined)[] = [];
    for (let index = 0; index < 6; index += 1) claimed.push((await claimRun(storage))?.id);
    expect(claimed).toEqual(['busy-0', 'small-0', 'other-0', 'busy-1', 'busy-2', 'busy-3']);
  });
});
