import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { createApp } from '../../src/app/bootstrap.js';
import { loadConfig } from '../../src/app/config.js';
import { createLog } from '../../src/app/log.js';
import { schemaName } from '../../src/storage/postgres/postgres.testing.js';
import { PostgresServer, type SharedPostgres } from '../harness/cluster/postgres.server.js';
import { EventStream } from '../support/event-stream.js';

const ANN_KEY = 'key-of-ann-0123456789';
const BOB_KEY = 'key-of-bob-0123456789';
const OPERATOR_KEY = 'key-of-the-operator-0123456789';
const ENTRIES = [`${ANN_KEY}:ann@acme:reader`, `${BOB_KEY}:bob@acme`, `${OPERATOR_KEY}:olga@ops:operator`];
const KEYS = { AUTH_API_KEYS: ENTRIES.join(','), AUTH_OPERATOR_ROLES: 'operator' };

/** One after the other: the embedded storage belongs to one process at a time, PostgreSQL to many. */
interface Place {
  readonly env: Record<string, string>;
  readonly remove: () => Promise<void>;
}

let database: SharedPostgres;
beforeAll(async () => {
  database = await PostgresServer.shared();
});
afterAll(() => database?.stop());

async function onSqlite(): Promise<Place> {
  const directory = await mkdtemp(join(tmpdir(), 'sessions-'));
  return { env: { DATA_DIR: directory }, remove: () => rm(directory, { recursive: true, force: true }) };
}

async function onPostgres(): Promise<Place> {
  const name = schemaName();
  const admin = new Client({ connectionString: database.url });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  return { env: { DATABASE_URL: database.url.replace(/postgres$/, name) }, remove: async () => undefined };
}

const toClose: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

async function place(make: () => Promise<Place>): Promise<Record<string, string>> {
  const { env, remove } = await make();
  toClose.push(remove);
  return env;
}

async function start(env: Record<string, string>) {
  const log: Record<string, unknown>[] = [];
  const write = (line: string) => void log.push(JSON.parse(line) as Record<string, unknown>);
  const config = loadConfig({ DEMO_PACE_MS: '0', DRAIN_SECONDS: '0', TRUST_PROXY: 'loopback', ...env });
  const app = await createApp(config, { log: createLog({ level: 'info' }, { write }) });
  await app.listen(0, '127.0.0.1');
  const origin = `http://127.0.0.1:${(app.getHttpServer().address() as { port: number }).port}`;
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    app.getHttpServer().closeAllConnections();
    await app.close();
  };
  toClose.push(close);
  const ask = async (method: string, path: string, headers: Record<string, string> = {}, body?: unknown) => {
    const response = await fetch(origin + path, {
      method,
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = path.includes('/events') ? (await response.body?.cancel(), '') : await response.text();
    const json = text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>);
    return { status: response.status, body: json, cookies: response.headers.getSetCookie() };
  };
  return {
    origin,
    log,
    close,
    ask,
    signIn: async (key = ANN_KEY, headers: Record<string, string> = {}) => {
      const { cookies } = await ask('POST', SESSION, { 'x-api-key': key, ...headers });
      return { cookie: cookies[0]?.split(';')[0] ?? '' };
    },
    who: async (headers: Record<string, string>) =>
      (await ask('GET', SESSION, headers)).body?.['principal'] as { userId: string } | null,
    run: async (headers: Record<string, string>) => {
      const { body } = await ask('POST', '/api/chat/runs', headers, { message: 'hello' });
      return String(body?.['runId']);
    },
    ticket: async (runId: string, headers: Record<string, string>) => {
      const { body } = await ask('POST', `/api/chat/runs/${runId}/ticket`, headers);
      return `/api/chat/runs/${runId}/events?ticket=${String(body?.['ticket'])}`;
    },
  };
}

const SESSION = '/api/auth/session';
const nobody = null;
const ann = { userId: 'ann', tenant: 'acme', roles: ['reader'] };

describe.each([
  ['SQLite', onSqlite],
  ['PostgreSQL', onPostgres],
])('sessions and tickets on %s', (_, make) => {
  it('keeps sessions and tickets through a restart, since their signing keys are stored', async () => {
    const env = { ...KEYS, ...(await place(make)) };
    const first = await start(env);
    const cookie = await first.signIn();
    const run = await first.run(cookie);
    const ticket = await first.ticket(run, cookie);
    await first.close();
    const second = await start(env);
    expect(await second.who(cookie)).toEqual(ann);
    expect(await second.ask('GET', ticket)).toMatchObject({ status: 200 });
  });

  it('ends a session at sign-out in every copy of its cookie, with its own tickets only', async () => {
    const app = await start({ ...KEYS, ...(await place(make)) });
    const [cookie, other] = [await app.signIn(), await app.signIn()];
    const run = await app.run(cookie);
    const [ticket, otherTicket] = [await app.ticket(run, cookie), await app.ticket(run, other)];
    expect(await app.ask('DELETE', SESSION, cookie)).toMatchObject({ status: 204 });
    expect(await app.who(cookie)).toBe(nobody);
    expect(await app.ask('GET', '/api/chat/threads', cookie)).toMatchObject({ status: 401 });
    expect(await app.ask('GET', ticket)).toMatchObject({ status: 401 });
    expect(await app.who(other)).toEqual(ann);
    expect(await app.ask('GET', otherTicket)).toMatchObject({ status: 200 });
  });

  it('ends all sessions of one user, who can sign in again at once', async () => {
    const app = await start({ ...KEYS, ...(await place(make)) });
    const [one, two, bobs] = [await app.signIn(), await app.signIn(), await app.signIn(BOB_KEY)];
    const byKey = { 'x-api-key': ANN_KEY };
    const run = await app.run(byKey);
    const tickets = [await app.ticket(run, one), await app.ticket(run, byKey)];
    expect(await app.ask('DELETE', `${SESSION}/all`, two)).toMatchObject({ status: 204 });
    for (const cookie of [one, two]) expect(await app.who(cookie)).toBe(nobody);
    for (const ticket of tickets) expect(await app.ask('GET', ticket)).toMatchObject({ status: 401 });
    expect(await app.who(bobs)).toMatchObject({ userId: 'bob' });
    const again = await app.signIn();
    expect(await app.who(again)).toEqual(ann);
    expect(await app.ask('GET', await app.ticket(run, again))).toMatchObject({ status: 200 });
    expect(await app.ask('GET', await app.ticket(run, byKey))).toMatchObject({ status: 200 });
  });

  it('lets only an operator end the sessions of one user or of all', async () => {
    const app = await start({ ...KEYS, ...(await place(make)) });
    const [anns, bobs] = [await app.signIn(), await app.signIn(BOB_KEY)];
    const end = (body: unknown, headers: Record<string, string>) =>
      app.ask('POST', `${SESSION}/end`, headers, body);
    const [annOfAcme, operator] = [{ userId: 'ann', tenant: 'acme' }, { 'x-api-key': OPERATOR_KEY }];
    expect(await end(annOfAcme, bobs)).toMatchObject({ status: 403 });
    expect(await end(annOfAcme, {})).toMatchObject({ status: 401 });
    expect(await end({ ...annOfAcme, everybody: true }, operator)).toMatchObject({ status: 400 });
    expect(await app.who(anns)).toEqual(ann);

    expect(await end(annOfAcme, operator)).toMatchObject({ status: 204 });
    expect(await app.who(anns)).toBe(nobody);
    expect(await app.who(bobs)).toMatchObject({ userId: 'bob' });

    const again = await app.signIn();
    expect(await end({ everybody: true }, operator)).toMatchObject({ status: 204 });
    for (const cookie of [again, bobs]) expect(await app.who(cookie)).toBe(nobody);
    expect(await app.who(await app.signIn())).toEqual(ann);
  });

  it.each([
    ['its key is taken away', ENTRIES.slice(1)],
    ['its key gets another role', [`${ANN_KEY}:ann@acme:admin`, ...ENTRIES.slice(1)]],
    ['its key gets another tenant', [`${ANN_KEY}:ann@other:reader`, ...ENTRIES.slice(1)]],
  ])('ends a session when %s', async (_why, entries) => {
    const env = { ...KEYS, ...(await place(make)) };
    const first = await start(env);
    const [anns, bobs] = [await first.signIn(), await first.signIn(BOB_KEY)];
    const ticket = await first.ticket(await first.run(anns), anns);
    await first.close();
    const second = await start({ ...env, AUTH_API_KEYS: entries.join(',') });
    expect(await second.who(anns)).toBe(nobody);
    expect(await second.ask('GET', ticket)).toMatchObject({ status: 401 });
    expect(await second.who(bobs)).toMatchObject({ userId: 'bob' });
  });

  it('accepts a session while the secret that signed it is configured, and ends it after that', async () => {
    const env = { ...KEYS, ...(await place(make)) };
    const [old, current] = ['o'.repeat(32), 'n'.repeat(32)];
    const first = await start({ ...env, AUTH_TICKET_SECRET: old });
    const cookie = await first.signIn();
    await first.close();
    const second = await start({ ...env, AUTH_TICKET_SECRET: `${current},${old}` });
    expect(await second.who(cookie)).toEqual(ann);
    const newer = await second.signIn();
    await second.close();
    const third = await start({ ...env, AUTH_TICKET_SECRET: current });
    expect(await third.who(cookie)).toBe(nobody);
    expect(await third.who(newer)).toEqual(ann);
  });
});

describe('sessions of two instances on one database', () => {
  it('accepts sessions and tickets on both instances of a database, whichever signed first', async () => {
    const env = { ...KEYS, ...(await place(onPostgres)) };
    const [one, other] = [await start(env), await start(env)];
    // Both make the first key, at the same time.
    const cookies = await Promise.all([one.signIn(), other.signIn()]);
    for (const cookie of cookies) {
      expect(await one.who(cookie)).toEqual(ann);
      expect(await other.who(cookie)).toEqual(ann);
      const run = await one.run(cookie);
      expect(await other.ask('GET', await one.ticket(run, cookie))).toMatchObject({ status: 200 });
      expect(await one.ask('GET', await other.ticket(run, cookie))).toMatchObject({ status: 200 });
    }
  });

  it('ends a session on both instances, and closes its open streams', async () => {
    const env = { ...KEYS, DEMO_PACE_MS: '2000', ...(await place(onPostgres)) };
    const [one, other] = [await start(env), await start(env)];
    const cookie = await one.signIn();
    const run = await one.run(cookie);
    const path = `/api/chat/runs/${run}/events`;
    const byCookie = await EventStream.open(other.origin + path, { headers: cookie });
    const byTicket = await EventStream.open(other.origin + (await one.ticket(run, cookie)));
    const byKey = await EventStream.open(other.origin + path, { headers: { 'x-api-key': ANN_KEY } });
    for (const stream of [byCookie, byTicket, byKey]) await stream.frame('ready');
    await one.ask('DELETE', SESSION, cookie);
    await Promise.all([byCookie.closed(), byTicket.closed()]);
    expect(await other.who(cookie)).toBe(nobody);
    expect(byKey.ended).toBeUndefined();
    byKey.leave();
  });
});

describe('session cookie', () => {
  it('names the cookie with __Host- over https, and refuses it under another name or given twice', async () => {
    const app = await start({ ...KEYS, ...(await place(onSqlite)) });
    const https = { 'x-forwarded-proto': 'https' };
    const { cookies } = await app.ask('POST', SESSION, { 'x-api-key': ANN_KEY, ...https });
    expect(cookies[0]).toMatch(/^__Host-agent-stream-session=/);
    expect(cookies[0]).toMatch(/; Path=\//);
    expect(cookies[0]).toMatch(/; Secure/);
    expect(cookies[0]).not.toMatch(/domain/i);
    const session = cookies[0]?.split(';')[0]?.split('=')[1];
    const own = `__Host-agent-stream-session=${session}`;
    expect(await app.who({ cookie: own, ...https })).toEqual(ann);

    const { cookie: bobs } = await app.signIn(BOB_KEY);
    const planted = bobs.split('=')[1];
    // What a page of a sibling host can set: the plain name, for the whole domain.
    for (const cookie of [bobs, `agent-stream-session=${session}`])
      expect(await app.who({ cookie, ...https })).toBe(nobody);
    for (const cookie of [`${bobs}; ${own}`, `${own}; ${bobs}`])
      expect(await app.who({ cookie, ...https })).toEqual(ann);
    // Two of the same name, of which one is not ours: neither.
    for (const cookie of [
      `${own}; __Host-agent-stream-session=${planted}`,
      `${bobs}; agent-stream-session=${session}`,
    ])
      expect(await app.who({ cookie, ...(cookie.startsWith('__') && https) })).toBe(nobody);
    const out = await app.ask('DELETE', SESSION, { cookie: own, ...https });
    expect(out.cookies[0]).toMatch(/^__Host-agent-stream-session=;.*Secure/);
  });
});
