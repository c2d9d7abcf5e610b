import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { PostgresServer } from '../../../test/harness/cluster/postgres.server.js';
import { toBatch, toEnding, newRun, ownedRun, claimRun } from '../../testing/storage/storage-samples.js';
import { ConnectionCutter } from './connection-cutter.testing.js';
import { isPassing, storageFailure } from './postgres.errors.js';
import { PostgresStorage } from './postgres.storage.js';
import { schemaName } from './postgres.testing.js';
import { explainedStart } from './start-failure.js';

let server: PostgresServer;
let cutter: ConnectionCutter;
let storage: PostgresStorage;

const SUPAVISOR =
  '(EMAXCONNSESSION) max clients reached in session mode - max clients are limited to pool_size: 15';

const PASSING: readonly (readonly [code: string, message: string])[] = [
  ['53300', 'sorry, too many clients already'],
  ['XX000', SUPAVISOR],
  [
    'XX000',
    'MaxClientsInSessionMode: max clients reached - in Session mode max clients are limited to pool_size',
  ],
  ['XX000', '(ECHECKOUTTIMEOUT) unable to check out connection from the pool after 15000ms'],
  ['57P01', 'terminating connection due to administrator command'],
  ['57P02', 'terminating connection because of crash of another server process'],
  ['57P03', 'the database system is starting up'],
  ['57P05', 'terminating connection due to idle-session timeout'],
  ['57014', 'canceling statement due to statement timeout'],
  ['53000', 'insufficient resources'],
  ['53100', 'could not extend file: No space left on device'],
  ['53200', 'out of memory'],
  ['55P03', 'canceling statement due to lock timeout'],
];

beforeAll(async () => {
  server = await PostgresServer.start();
});

afterAll(() => server?.stop());

async function open(): Promise<void> {
  cutter = await ConnectionCutter.listen(server.port);
  storage = new PostgresStorage({
    url: `postgres://postgres:secret@127.0.0.1:${cutter.port}/postgres`,
    listenUrl: server.url,
    schema: schemaName(),
  });
  await storage.open();
}

afterEach(async () => {
  await storage?.close();
  await cutter?.close();
});

describe('PostgresStorage while the database is unavailable', () => {
  it.each(PASSING)('waits and loses nothing on a request that fails with %s %s', async (code, message) => {
    await open();
    const run = await ownedRun(storage, 'r1');
    for (const [index, doing] of [
      () => storage.log.append([toBatch(run, 0, 2)]),
      () => storage.runs.get('r1'),
      () => storage.runs.create(newRun('r2')),
      () => claimRun(storage),
      () => storage.log.append([toEnding(run, 2)]),
    ].entries()) {
      cutter.fail({ code, message, at: 'request' }, 2);
      expect(await doing()).toBeDefined();
      expect(cutter.failed).toBe((index + 1) * 2);
    }
    expect(await storage.runs.get('r1')).toMatchObject({ status: 'completed', lastSeq: 3 });
    expect((await storage.log.read('r1', 0, 10)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it.each([
    ['53300', 'sorry, too many clients already'],
    ['XX000', SUPAVISOR],
    ['57P03', 'the database system is starting up'],
  ])('waits for a connection that is refused with %s %s', async (code, message) => {
    cutter = await ConnectionCutter.listen(server.port);
    const url = `postgres://postgres:secret@127.0.0.1:${cutter.port}/postgres`;
    storage = new PostgresStorage({ url, listenUrl: server.url, schema: schemaName() });
    cutter.fail({ code, message, at: 'connect' }, 3);
    await storage.open();
    expect(cutter.failed).toBe(3);
    expect(await ownedRun(storage, 'r1')).toMatchObject({ status: 'running' });
  });

  it('does not wait for errors that will not pass', () => {
    for (const [code, message] of [
      ['XX000', 'cache lookup failed for relation 1'],
      ['XX000', 'Tenant or user not found'],
      ['42P01', 'relation "runs" does not exist'],
      ['23505', 'duplicate key'],
    ])
      expect(isPassing({ code, message })).toBe(false);
  });
});

describe('a failure of the database', () => {
  it('says that the disk is full, and that it helps to try again', () => {
    const message = 'could not extend file: No space left on device';
    const full = Object.assign(new Error(message), { code: '53100' });
    expect(storageFailure(full)).toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringMatching(/disk of the database is full/),
      retryable: true,
    });
    const gone = Object.assign(new Error('no'), { code: '57P01' });
    expect(storageFailure(gone).message).toMatch(/cannot be reached/);
  });
});

describe('a start without a usable PostgreSQL database', () => {
  it('says that the database does not speak TLS when sslmode requires it', async () => {
    cutter = await ConnectionCutter.listen(server.port);
    storage = new PostgresStorage({ url: `${server.url}?sslmode=require`, schema: schemaName() });
    await expect(storage.open()).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('sslmode=disable'),
    });
  });

  it('names the wrong setting for a refused user, a missing database or refused TLS', async () => {
    cutter = await ConnectionCutter.listen(server.port);
    for (const [code, part] of [
      ['28P01', 'user or the password in url of PostgresStorage'],
      ['3D000', 'does not exist'],
      ['28000', 'sslmode=verify-full'],
    ] as const) {
      const url = `postgres://postgres:secret@127.0.0.1:${cutter.port}/postgres`;
      const refused = new PostgresStorage({ url, schema: schemaName() });
      cutter.fail({ code, message: 'no', at: 'connect' }, 1);
      await expect(refused.open()).rejects.toMatchObject({ message: expect.stringContaining(part) });
      await refused.close();
    }
  });

  it.each([
    ['SELF_SIGNED_CERT_IN_CHAIN', /sslrootcert.*NODE_EXTRA_CA_CERTS/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /sslrootcert.*NODE_EXTRA_CA_CERTS/],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /sslrootcert.*NODE_EXTRA_CA_CERTS/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /another host name/],
    ['CERT_HAS_EXPIRED', /not valid at this time/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /sslmode/],
  ])('names the setting to change for %s', (code, words) => {
    const explained = explainedStart(Object.assign(new Error('no'), { code }));
    expect((explained as Error).message).toMatch(words);
  });
});
