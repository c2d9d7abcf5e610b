import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { PostgresServer, type SharedPostgres } from '../../../test/harness/cluster/postgres.server.js';
import { ALICE, BOB, ownedRun } from '../../testing/storage/storage-samples.js';
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

async function open(schema: string): Promise<PostgresStorage> {
  const storage = new PostgresStorage({ url: server.url, schema, poolSize: 3 });
  opened.push(storage);
  await storage.open();
  return storage;
}

const LIMITS = { maxOwnerBytes: 1_000_000, maxUploads: 100 };

describe('blobs on PostgreSQL', () => {
  it('wait for their owner on one connection of the pool, whatever number of them is stored at once', async () => {
    const schema = schemaName();
    const [storage, other] = [await open(schema), await open(schema)];
    const run = await ownedRun(storage, 'r1');
    const facts = { mediaType: 'image/png', data: new Uint8Array(100), keepMs: 60_000 };
    const upload = ({ tenant, userId }: typeof ALICE, id: string) =>
      storage.blobs.upload({ owner: { tenant, userId }, id, ...facts }, LIMITS);
    const { tenant, userId } = ALICE;
    let uploads: Promise<string>[] = [];
    await other.database.transactionOnce(async (tx) => {
      // As a process does that stores a file of hers.
      await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
        `${schema}.blobs:${JSON.stringify([tenant, userId])}`,
      ]);
      uploads = Array.from({ length: 6 }, (_, n) => upload(ALICE, `a${n}`));
      expect(await storage.runs.get(run.id)).toMatchObject({ id: run.id });
      expect(await upload(BOB, 'b')).toBe('stored');
    });
    expect(await Promise.all(uploads)).toEqual(Array<string>(6).fill('stored'));
  });
});
