import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { PgBouncerServer } from '../../../test/harness/cluster/pgbouncer.server.js';
import { hasPgBouncer } from '../../../test/harness/cluster/pgbouncer.testing.js';
import { PostgresServer } from '../../../test/harness/cluster/postgres.server.js';
import { describeStorage } from '../../testing/storage/storage.contract.js';
import type { StorageHarness } from '../../testing/storage/storage-harness.js';
import { ownedRun } from '../../testing/storage/storage-samples.js';
import { advanceClock, emptySchema, schemaName, stopClock } from './postgres.testing.js';
import type { PostgresStorageOptions } from './postgres-storage.options.js';
import { PostgresStorage } from './postgres.storage.js';

(hasPgBouncer(process.env) ? describe : describe.skip)('PostgresStorage through PgBouncer', () => {
  let server: PostgresServer;
  let pooler: PgBouncerServer;
  const opened: PostgresStorage[] = [];

  beforeAll(async () => {
    server = await PostgresServer.start();
    pooler = await PgBouncerServer.start(server);
  });
  afterEach(async () => {
    for (const storage of opened.splice(0)) await storage.close();
  });
  afterAll(async () => {
    await pooler?.stop();
    await server?.stop();
  });

  async function open(options: Partial<PostgresStorageOptions> = {}): Promise<PostgresStorage> {
    const storage = new PostgresStorage({ url: pooler.url, listenUrl: server.url, ...options });
    opened.push(storage);
    await storage.open();
    return storage;
  }

  const schema = schemaName();

  async function makeHarness(): Promise<StorageHarness> {
    let storage = await open({ schema });
    await stopClock(storage.database);
    return {
      storage,
      advance: (ms) => advanceClock(storage.database, ms),
      reopen: async () => {
        await storage.close();
        storage = await open({ schema });
        return storage;
      },
      dispose: () => emptySchema(storage.database),
    };
  }

  describeStorage({ describe, it, expect }, 'PostgresStorage', makeHarness);

  it('refuses to start without an address at which LISTEN works, and names the missing setting', async () => {
    await expect(open({ listenUrl: pooler.url, schema: schemaName() })).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('set listenUrl of PostgresStorage'),
    });
  });

  it('migrates once when several processes start at the same moment', async () => {
    const schema = schemaName();
    const storages = await Promise.all(Array.from({ length: 6 }, () => open({ schema })));
    const versions = await storages[0]!.database.query(`SELECT version FROM ${schema}.migrations`);
    expect(new Set(versions.map(({ version }) => version)).size).toBe(versions.length);
    await ownedRun(storages[1]!, 'r1');
    expect(await storages[2]!.runs.get('r1')).toMatchObject({ status: 'running' });
  });

  it('passes a hint from one process to another', async () => {
    const schema = schemaName();
    const [here, there] = [await open({ schema }), await open({ schema })];
    const hinted = new Promise<void>((resolve) => there.wakeups.listen('log:r1', resolve));
    here.wakeups.notify('log:r1');
    await hinted;
  });
});
