import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { appServers, startApp, type AppServer } from '../support/app.server.js';
import { listRoutes, pathWith } from '../support/app-routes.js';
import { RawConnection } from '../support/raw-connection.js';

const KEYS = ['ann', 'ben', 'cleo', 'dora', 'emil', 'fay'] as const;
const toKey = (name: string) => `key-of-${name}-with-enough-characters-to-be-one`;
const SETTINGS = {
  AUTH_API_KEYS: KEYS.map((name) => `${toKey(name)}:${name}@acme`).join(','),
  AUTH_TICKET_SECRET: 'a secret of at least thirty-two characters',
};
const JSON_TYPE = { 'content-type': 'application/json' };

/** Routes that tell anybody what they tell. */
const OPEN_TO_ALL =
  /^GET \/(health|openapi\.json|api\/auth\/session|.*(\.well-known|langgraph\/(ok|info)$))|^DELETE \/api\/auth\/session/;

const starting = appServers();
const connections: RawConnection[] = [];

afterEach(() => {
  for (const connection of connections.splice(0)) connection.leave();
});

let shared: AppServer;

beforeAll(async () => {
  shared = await startApp(SETTINGS);
});

afterAll(() => shared.close());

/** Starts an app with these settings; without any, it is the same for all tests. */
async function start(env?: Record<string, string>) {
  const server = env ? await starting({ ...SETTINGS, ...env }) : shared;
  return { ...server, open: (options?: { localAddress?: string }) => open(server, options) };
}

async function open({ app }: AppServer, options?: { localAddress?: string }): Promise<RawConnection> {
  const { port } = app.getHttpServer().address() as AddressInfo;
  const connection = await RawConnection.open(port, options);
  connections.push(connection);
  return connection;
}

const as = (name: (typeof KEYS)[number]) => ({ ...JSON_TYPE, 'x-api-key': toKey(name) });

describe('caller without credentials', () => {
  it('answers a caller without credentials before the body on every route, and closes the connection', async () => {
    const server = await start();
    const routes = listRoutes(server.app).filter(({ path }) => !path.startsWith('/docs'));
    expect(routes.length).toBeGreaterThan(50);
    for (const route of routes) {
      if (route.method === 'POST' && route.path === '/api/auth/session') continue;
      const connection = await server.open();
      connection.request(route.method, pathWith(route), { ...JSON_TYPE, 'content-length': '4000000' });
      const { status, headers } = await connection.answer();
      const isOpen = OPEN_TO_ALL.test(`${route.method} ${route.path}`);
      expect({ route, status, connection: headers['connection'] }).toEqual({
        route,
        status: isOpen ? expect.any(Number) : 401,
        connection: 'close',
      });
      connection.leave();
    }
  });

  it('answers 401 before the end of a compressed body in chunks', async () => {
    const server = await start();
    const packed = gzipSync(Buffer.alloc(4_000_000, ' ')).toString('latin1');
    const connection = await server.open();
    const head = { ...JSON_TYPE, 'content-encoding': 'gzip', 'transfer-encoding': 'chunked' };
    connection.request('POST', '/protocols/ai-sdk/chat', head);
    connection.socket.write(Buffer.from(`${packed.length.toString(16)}\r\n${packed}\r\n`, 'latin1'));
    expect((await connection.answer()).status).toBe(401);
  });

  it('answers 401 even to a caller that sends the whole of a body that is not read', async () => {
    const server = await start();
    const body = JSON.stringify({ message: 'x'.repeat(3_000_000) });
    for (let round = 0; round < 20; round++) {
      const response = await fetch(`${server.origin}/protocols/ai-sdk/chat`, {
        method: 'POST',
        headers: JSON_TYPE,
        body,
      });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ code: 'UNAUTHENTICATED' });
    }
  });

  it('answers 401 instead of 100 Continue to a caller without credentials', async () => {
    const server = await start();
    const connection = await server.open();
    const head = { ...JSON_TYPE, 'content-length': '20', expect: '100-continue' };
    connection.request('POST', '/api/chat/runs', head);
    expect((await connection.answer()).status).toBe(401);
  });

  it('answers 404 without reading the body when the route does not exist', async () => {
    const server = await start();
    const connection = await server.open();
    connection.request('POST', '/nowhere', { ...JSON_TYPE, 'content-length': '4000000' });
    const { status, headers } = await connection.answer();
    expect([status, headers['connection']]).toEqual([404, 'close']);
  });

  it('keeps the connection after a 401 when the request has no body', async () => {
    const server = await start();
    const connection = await server.open();
    for (let round = 0; round < 2; round++) {
      connection.request('POST', '/api/chat/runs/some-run/cancel', { 'content-length': '0' });
      expect((await connection.answer()).status).toBe(401);
    }
  });

  it('signs in a caller with a token in the body, and refuses a larger body with 413', async () => {
    const server = await start();
    const signIn = (token: string) =>
      fetch(`${server.origin}/api/auth/session`, {
        method: 'POST',
        headers: JSON_TYPE,
        body: JSON.stringify({ token }),
      });
    expect((await signIn(toKey('ann'))).status).toBe(200);
    expect((await signIn('x'.repeat(30_000))).status).toBe(413);
    const connection = await server.open();
    connection.request('POST', '/api/auth/session', { ...JSON_TYPE, 'content-length': '25000' });
    expect((await connection.answer()).status).toBe(413);
  });

  it('answers 503 when pending sign-ins have used up their memory, and serves known callers', async () => {
    const server = await start({ ...SMALL_BODIES });
    const head = { ...JSON_TYPE, 'content-length': '20000' };
    let refusal;
    while (!refusal) {
      const connection = await server.open();
      connection.request('POST', '/api/auth/session', head, `{"token":"${'x'.repeat(15_000)}`);
      refusal = await probe(server, '/api/auth/session', head);
    }
    expect(refusal.status).toBe(503);
    expect(refusal.headers['retry-after']).toBe('1');
    // Those who are known have room.
    const { status } = await fetch(`${server.origin}/api/chat/runs`, {
      method: 'POST',
      headers: as('ann'),
      body: JSON.stringify({ message: 'hello' }),
    });
    expect(status).toBe(202);
  });
});

describe('body of a known caller', () => {
  it('reads the body of a known caller, and keeps the connection open', async () => {
    const server = await start();
    const connection = await server.open();
    const body = JSON.stringify({ message: 'hello' });
    for (let round = 0; round < 2; round++) {
      const head = { ...as('ann'), 'content-length': String(body.length) };
      connection.request('POST', '/api/chat/runs', head, body);
      const { status, headers } = await connection.answer();
      expect([status, headers['connection']]).toEqual([202, 'keep-alive']);
    }
  });

  it('sends 100 Continue to a known caller that waits for it', async () => {
    const server = await start();
    const connection = await server.open();
    const body = JSON.stringify({ message: 'hello' });
    const head = { ...as('ann'), 'content-length': String(body.length), expect: '100-continue' };
    connection.request('POST', '/api/chat/runs', head);
    expect((await connection.answer()).status).toBe(100);
    connection.socket.write(body);
    expect((await connection.answer()).status).toBe(202);
  });

  it.each(['gzip', 'br', 'deflate', 'zstd', 'gzip, identity', 'klingon'])(
    'refuses a body with 415 when its encoding is %s',
    async (encoding) => {
      const server = await start();
      const connection = await server.open();
      const head = { ...as('ann'), 'content-encoding': encoding, 'content-length': '1000' };
      connection.request('POST', '/api/chat/runs', head);
      const { status, body } = await connection.answer();
      expect(status).toBe(415);
      expect(JSON.parse(body)).toMatchObject({ code: 'ENCODING_UNSUPPORTED', status: 415 });
    },
  );

  it('accepts a body with the encoding identity', async () => {
    const server = await start();
    const { status } = await fetch(`${server.origin}/api/chat/runs`, {
      method: 'POST',
      headers: { ...as('ann'), 'content-encoding': 'identity' },
      body: JSON.stringify({ message: 'hello' }),
    });
    expect(status).toBe(202);
  });

  it.each([
    ['/api/chat/runs', 1_000_000],
    ['/protocols/ai-sdk/chat', 4 * 1024 ** 2 + 1],
  ])('refuses a body unread when POST %s announces too many bytes', async (path, length) => {
    const server = await start();
    const connection = await server.open();
    connection.request('POST', path, { ...as('ann'), 'content-length': String(length) });
    const { status, headers } = await connection.answer();
    expect([status, headers['connection']]).toEqual([413, 'close']);
  });

  it('refuses a chunked body with 413 once it exceeds the limit', async () => {
    const server = await start();
    const connection = await server.open();
    connection.request('POST', '/api/chat/runs', { ...as('ann'), 'transfer-encoding': 'chunked' });
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    connection.socket.write(chunk.repeat(14));
    expect((await connection.answer()).status).toBe(413);
  });

  it('refuses a body with 400 when it contains too many values', async () => {
    const server = await start();
    const response = await fetch(`${server.origin}/protocols/ai-sdk/chat`, {
      method: 'POST',
      headers: as('ann'),
      body: `{"messages":[${'{},'.repeat(1_000_000)}{}]}`,
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ detail: expect.stringContaining('values') });
  });
});

/** 1 MiB for all, so 512 KiB for an address and 256 KiB for a principal; a request may have 68,608 bytes. */
const SMALL_BODIES = {
  MAX_BODY_BYTES_IN_FLIGHT: '1MiB',
  MAX_MESSAGE_BYTES: '1KiB',
  MAX_HISTORY_BYTES: '64KiB',
};

describe('bodies in flight', () => {
  const LENGTH = 65_000;
  const head = (name: (typeof KEYS)[number], address = '198.51.100.1') => ({
    ...as(name),
    'content-length': String(LENGTH),
    'x-forwarded-for': address,
  });
  const body = `{"message":"${'x'.repeat(LENGTH)}`;

  /** Opens bodies that lack their last byte until there is no room for more, and returns the refusal. */
  async function fill(server: AppServer, headers: Record<string, string>) {
    const held = [];
    for (let index = 0; index < 20; index++) {
      const connection = await open(server);
      connection.request('POST', '/api/chat/runs', headers, body.slice(0, LENGTH - 1));
      held.push(connection);
      const refusal = await probe(server, '/api/chat/runs', headers);
      if (refusal) return { held, refusal };
    }
    throw new Error('There was always room for more.');
  }

  it('limits the bodies in flight of a caller, and serves that caller again after one ends', async () => {
    const server = await start({ ...SMALL_BODIES, TRUST_PROXY: '1' });
    const { held, refusal } = await fill(server, head('ann'));
    expect(refusal.status).toBe(429);
    expect(refusal.headers['retry-after']).toBe('1');
    expect(JSON.parse(refusal.body)).toMatchObject({ code: 'RATE_LIMITED' });
    expect((await ask(server, 'ben')).status).toBe(202);
    for (const connection of held) connection.leave();
    await untilTrue(async () => (await probe(server, '/api/chat/runs', head('ann'))) === undefined);
  });

  it('limits the bodies in flight of an address, whatever the credentials', async () => {
    const server = await start({ ...SMALL_BODIES, TRUST_PROXY: '1' });
    for (const name of ['ann', 'ben', 'cleo'] as const) await fill(server, head(name));
    const refusal = await probe(server, '/api/chat/runs', head('dora'));
    expect(refusal?.status).toBe(429);
    expect(await probe(server, '/api/chat/runs', head('dora', '203.0.113.7'))).toBeUndefined();
  });

  it('limits the bodies in flight of the whole process with 503', async () => {
    const server = await start({ ...SMALL_BODIES, TRUST_PROXY: '1' });
    for (const [index, name] of KEYS.slice(0, 5).entries())
      await fill(server, head(name, `198.51.100.${index}`));
    const refusal = await probe(server, '/api/chat/runs', head('fay', '203.0.113.7'));
    expect(refusal?.status).toBe(503);
    expect(JSON.parse(refusal?.body ?? '')).toMatchObject({ code: 'SERVER_BUSY' });
    expect(refusal?.headers['retry-after']).toBe('1');
  });

  it('releases the memory of a body once it is parsed', async () => {
    const server = await start({ ...SMALL_BODIES });
    for (let round = 0; round < 40; round++) {
      const { status } = await fetch(`${server.origin}/api/chat/runs`, {
        method: 'POST',
        headers: as('ann'),
        body: JSON.stringify({ message: 'hello', metadata: { x: 'y'.repeat(60_000) } }),
      });
      expect(status).toBe(400);
    }
  });
});

describe('connections', () => {
  it('limits the connections of an address', async () => {
    const server = await start({ MAX_CONNECTIONS_PER_ADDRESS: '3' });
    const mine = [await server.open(), await server.open(), await server.open()];
    for (const connection of mine) expect(await isServed(connection)).toBe(true);
    expect(await isServed(await server.open())).toBe(false);
    expect(await isServed(await server.open({ localAddress: '127.0.0.2' }))).toBe(true);
    mine[0]?.leave();
    await untilTrue(async () => isServed(await server.open()));
  });

  it('does not limit the connections of a trusted proxy', async () => {
    const server = await start({ MAX_CONNECTIONS_PER_ADDRESS: '1', TRUST_PROXY: 'loopback' });
    for (let index = 0; index < 4; index++) expect(await isServed(await server.open())).toBe(true);
  });

  it('limits the connections of the whole process', async () => {
    const server = await start({ MAX_CONNECTIONS: '2' });
    await server.open();
    await server.open();
    expect(await isServed(await server.open())).toBe(false);
  });

  it('closes a connection that pipelines many requests without reading the replies', async () => {
    const server = await start();
    const connection = await server.open();
    const closed = once(connection.socket, 'close');
    connection.socket.write('GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(500));
    await closed;
    expect(connection.socket.bytesRead).toBeLessThan(10_000_000);
  });
});

async function isServed(connection: RawConnection): Promise<boolean> {
  connection.request('GET', '/health/live');
  return connection.answer().then(
    ({ status }) => status === 200,
    () => false,
  );
}

function ask(server: AppServer, name: (typeof KEYS)[number]) {
  return fetch(`${server.origin}/api/chat/runs`, {
    method: 'POST',
    headers: as(name),
    body: JSON.stringify({ message: 'hello' }),
  });
}

/** Sends a head and no body, and returns the refusal, or nothing when the server waits for the body. */
async function probe(server: AppServer, path: string, headers: Record<string, string>) {
  const connection = await open(server);
  connection.request('POST', path, { ...headers, expect: '100-continue' });
  const answer = await connection.answer();
  connection.leave();
  return answer.status === 100 ? undefined : answer;
}

/** Waits until the condition holds: earlier bytes may not have been read yet. */
async function untilTrue(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition()));
}
