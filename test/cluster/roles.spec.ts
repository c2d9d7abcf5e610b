import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { MIGRATIONS } from '../../src/storage/postgres/migrations/migrations.js';
import { PostgresDatabase } from '../../src/storage/postgres/postgres.database.js';
import { migrate } from '../../src/storage/postgres/postgres.migrator.js';
import { PostgresServer } from '../harness/cluster/postgres.server.js';
import { AppProcess } from '../page/support/app.process.js';
import { EventStream } from '../support/event-stream.js';

// The app as it ships; `npm test` builds first.
const MIGRATE = fileURLToPath(new URL('../../dist/app/migrate.js', import.meta.url));

let server: PostgresServer;
let url: string;
let databases = 0;

beforeAll(async () => {
  if (!existsSync(MIGRATE)) throw new Error('There is no build. Run `npm run build` first, or `npm test`.');
  server = await PostgresServer.start();
});
afterAll(() => server?.stop());

/** An empty database for each test. */
beforeEach(async () => {
  const name = `roles_${(databases += 1)}`;
  const admin = new Client({ connectionString: server.url });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  url = server.url.replace(/postgres$/, name);
});

/** `npm run migrate`, without its build. */
async function runMigrate(env: Record<string, string> = { DATABASE_URL: url }) {
  const child = spawn(process.execPath, [MIGRATE], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [[code], said, complained] = await Promise.all([
    once(child, 'exit'),
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code: code as number, said: said.trim(), complained: complained.trim() };
}

const UP_TO_DATE = { code: 0, said: 'The tables are up to date.', complained: '' };
const migrated = (count: number) => ({ code: 0, said: `Migrations run: ${count}.`, complained: '' });

describe('npm run migrate', () => {
  it('creates all tables in an empty database, and runs no migration the second time', async () => {
    expect(await runMigrate()).toEqual(migrated(MIGRATIONS.length));
    expect(await runMigrate()).toEqual(UP_TO_DATE);
  });

  it('runs only the last migration on the tables of the previous version', async () => {
    const database = new PostgresDatabase({ url, schema: 'agent_stream', poolSize: 1, patienceMs: 0 });
    await migrate(database, MIGRATIONS.length - 1);
    await database.close();
    expect(await runMigrate()).toEqual(migrated(1));
    expect(await runMigrate()).toEqual(UP_TO_DATE);
  });

  it('runs each migration once when four deployments start them at the same moment', async () => {
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => runMigrate()));
    const done = outcomes.filter(({ said }) => said !== UP_TO_DATE.said);
    expect(done).toEqual([migrated(MIGRATIONS.length)]);
    expect(outcomes.filter((outcome) => !done.includes(outcome))).toEqual([
      UP_TO_DATE,
      UP_TO_DATE,
      UP_TO_DATE,
    ]);
  });

  it('exits with a message when DATABASE_URL is not set', async () => {
    const { code, complained } = await runMigrate({});
    expect(code).toBe(78);
    expect(complained).toBe('DATABASE_URL is not set: the embedded database migrates itself.');
  });
});

describe('ROLES setting', () => {
  const processes: AppProcess[] = [];
  afterEach(async () => {
    for (const each of processes.splice(0)) await each.kill();
  });

  async function start(roles: string): Promise<string> {
    const app = new AppProcess({ DATABASE_URL: url, ROLES: roles, DEMO_PACE_MS: '0', DRAIN_SECONDS: '0' });
    processes.push(app);
    await app.start();
    return `http://127.0.0.1:${app.port}`;
  }

  it('keeps a run pending without a worker process, and completes it once a process with ROLES=worker starts', async () => {
    const api = await start('api');
    const stream = await EventStream.open(`${api}/api/chat`, { method: 'POST', body: { message: 'Hello' } });
    const { data: ready } = await stream.frame('ready');
    expect(ready).toMatchObject({ status: 'pending', tail: 0 });

    const worker = await start('worker');
    expect(await stream.closed()).toBe('end');
    expect(stream.events.at(-1)?.data).toMatchObject({ type: 'end', outcome: 'completed' });

    const readStatus = async (address: string) => (await fetch(address)).status;
    const paths = ['/health/ready', '/', '/docs', `/api/chat/runs/${String(ready['runId'])}`];
    expect(await Promise.all(paths.map((path) => readStatus(api + path)))).toEqual([200, 200, 200, 200]);
    expect(await Promise.all(paths.map((path) => readStatus(worker + path)))).toEqual([200, 404, 404, 404]);
  });

  it('starts processes of all roles at the same moment on an empty database', async () => {
    const [api] = await Promise.all([start('api'), start('worker'), start('api,worker')]);
    const stream = await EventStream.open(`${api}/api/chat`, { method: 'POST', body: { message: 'Hello' } });
    expect(await stream.closed()).toBe('end');
    expect(stream.events.at(-1)?.data).toMatchObject({ type: 'end', outcome: 'completed' });
  });
});
