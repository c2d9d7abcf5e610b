import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChatModuleOptions, Principal } from '../../src/index.js';
import { PostgresStorage } from '../../src/storage/postgres/postgres.storage.js';
import { schemaName } from '../../src/storage/postgres/postgres.testing.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import type { Storage } from '../../src/storage/storage.js';
import { PostgresServer, type SharedPostgres } from '../harness/cluster/postgres.server.js';
import { createAnswer } from '../../src/testing/scripted.agent.js';
import { chatServers, gate, type ChatServer, type Play } from '../support/chat.server.js';
import { until } from '../support/until.js';

const auth: ChatModuleOptions['auth'] = {
  kind: 'host',
  getPrincipal: ({ headers }): Principal => {
    const [tenant = '', userId = ''] = String(headers['x-user']).split('/');
    return { userId, tenant, roles: [] };
  },
};
const as = (user: string) => ({ 'x-user': user });

/** Runs that are told to be slow say nothing until they are let go. */
function slowUntil(opened: Promise<void>): Play {
  return async ({ message }, context) => {
    if (message.startsWith('slow')) await opened;
    for (const event of createAnswer(context, ['hi'])) void context.emit(event);
  };
}

let database: SharedPostgres;
beforeAll(async () => {
  database = await PostgresServer.shared();
});
afterAll(() => database?.stop());

const STORAGES: readonly (readonly [string, () => Storage])[] = [
  ['SQLite', () => new SqliteStorage({ directory: ':memory:' })],
  ['PostgreSQL', () => new PostgresStorage({ url: database.url, schema: schemaName() })],
];

describe.each(STORAGES)('slots for runs on %s', (_name, storage) => {
  const start = chatServers();

  const readStatus = async (server: ChatServer, runId: string, user: string) =>
    (await server.call('GET', `/runs/${runId}`, undefined, as(user))).body['status'];

  const answered = async (server: ChatServer, user: string) => {
    const stream = await server.ask({ message: 'quick' }, as(user));
    await stream.closed();
    return stream.events.at(-1)?.data['outcome'];
  };

  it('leaves slots free for other callers while one caller has sixty slow runs', async () => {
    const { opened, open } = gate();
    const server = await start({ auth, storage: storage(), maxConcurrentRuns: 50, play: slowUntil(opened) });
    const slow = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        server.startRun({ message: `slow ${index}` }, as('acme/greedy')),
      ),
    );
    const countRunning = async () => {
      const statuses = await Promise.all(slow.map(({ runId }) => readStatus(server, runId, 'acme/greedy')));
      return statuses.filter((status) => status === 'running').length;
    };
    // The last one may have to wait for a claim.
    await until(async () => (await countRunning()) >= 25);
    expect(await countRunning()).toBe(25);
    for (const user of ['globex/ann', 'acme/ben']) expect(await answered(server, user)).toBe('completed');
    open();
    for (const { runId } of slow) {
      const stream = await server.watch(runId, undefined, { headers: as('acme/greedy') });
      await stream.closed();
      expect(stream.events.at(-1)?.data).toMatchObject({ outcome: 'completed' });
    }
  });

  it('gives a free slot to the caller with the fewest running runs', async () => {
    const { opened, open } = gate();
    const server = await start({
      auth,
      storage: storage(),
      maxConcurrentRuns: 4,
      maxRunsPerPrincipal: 4,
      play: slowUntil(opened),
    });
    const slow = [];
    for (let index = 0; index < 20; index += 1)
      slow.push(await server.startRun({ message: `slow ${index}` }, as('acme/greedy')));
    const other = await server.startRun({ message: 'slow, of another' }, as('globex/ann'));
    expect(await readStatus(server, other.runId, 'globex/ann')).toBe('pending');
    // One of the greedy caller's four places becomes free.
    await server.call('POST', `/runs/${slow[0]?.runId}/cancel`, undefined, as('acme/greedy'));
    const stream = await server.watch(other.runId, undefined, { headers: as('globex/ann') });
    await stream.frame('run-start');
    expect(await readStatus(server, slow[4]?.runId ?? '', 'acme/greedy')).toBe('pending');
    open();
    await stream.closed();
    expect(stream.events.at(-1)?.data).toMatchObject({ outcome: 'completed' });
  });

  it('rejects a limit of runs per principal that is not a positive integer', async () => {
    for (const maxRunsPerPrincipal of [0, 1.5, Number.NaN])
      await expect(start({ auth, storage: storage(), maxRunsPerPrincipal })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
      });
    for (const maxDelayedRunsPerPrincipal of [-1, 1.5, Number.NaN])
      await expect(start({ auth, storage: storage(), maxDelayedRunsPerPrincipal })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
      });
  });
});
