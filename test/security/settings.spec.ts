// oxlint-disable max-lines -- one row a setting, and each row is read beside its name
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { loadConfig } from '../../src/app/config.js';
import { describeSetting, SETTING_NAMES, type SettingName } from '../../src/app/settings/settings.js';
import { appServers, type AppServer } from '../support/app.server.js';
import { AppProcess } from '../page/support/app.process.js';
import { EventStream } from '../support/event-stream.js';
import { faultProxies } from '../support/fault-proxies.js';
import { openIdProviders, settingsFor, signInAtProvider } from '../support/openid.provider.js';
import { OtlpReceiver } from '../support/otlp.receiver.js';
import { RawConnection } from '../support/raw-connection.js';
import { WebBrowser } from '../support/web.browser.js';
import { obedientModel } from './obedient.model.js';
import { postJson } from '../support/post-json.js';

type Env = Record<string, string>;

/** A value that a setting refuses and one that it allows, each tried on the running app, or on its start if the start refuses. */
interface Row {
  refuses(): Promise<void>;
  allows(): Promise<void>;
}

/** Settings that decide nothing about who may do what, nor how much. */
const NOT_ABOUT_SECURITY = SETTING_NAMES.filter((name) => describeSetting(name).isAboutSecurity === false);

const ANN = 'key-of-ann-0123456789';
const BOB = 'key-of-bob-0123456789';
const KEYS = `${ANN}:ann@acme:clerk,${BOB}:bob@acme`;
const MANY_ROWS: [string, object] = [
  'data_lookup',
  { sql: 'SELECT name, capital FROM countries ORDER BY name LIMIT 60' },
];
const SECRET = 'a secret of at least thirty-two characters';
const ISSUED: Env = {
  AUTH_JWT_SECRET: SECRET,
  AUTH_ISSUER: 'https://id.example.com',
  AUTH_AUDIENCE: 'agents',
};

const SHORT_REQUESTS: Env = { MAX_MESSAGE_BYTES: '1KiB', MAX_HISTORY_BYTES: '64KiB' };

describe('settings about security', () => {
  const start = appServers();
  const startProvider = openIdProviders();
  const proxyTo = faultProxies();
  const model = obedientModel();
  const cleanups: (() => unknown)[] = [];
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'settings-'));
  });

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
    await rm(directory, { recursive: true, force: true });
  });

  async function site(listener: RequestListener): Promise<number> {
    const server: Server = createServer(listener);
    cleanups.push(() => (server.closeAllConnections(), server.close()));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  }

  async function connect({ app }: AppServer): Promise<RawConnection> {
    const connection = await RawConnection.open((app.getHttpServer().address() as AddressInfo).port);
    cleanups.push(() => connection.leave());
    return connection;
  }

  /** Begins a request that never ends, and holds most of its body. 100 when the server wants to read it. */
  async function unfinished(server: AppServer): Promise<number> {
    const connection = await connect(server);
    const head = { 'content-type': 'application/json', 'content-length': '65000', expect: '100-continue' };
    connection.request('POST', '/api/chat/runs', head);
    const answer = await connection.answer();
    if (answer.status === 100) connection.socket.write(`{"message":"${'x'.repeat(64_000)}`);
    return answer.status;
  }

  async function thirdConnection(env: Env): Promise<number | 'closed'> {
    const server = await start(env);
    await connect(server);
    await connect(server);
    const third = await connect(server);
    third.request('GET', '/health/live');
    return third.answer().then(
      (answer) => answer.status,
      () => 'closed' as const,
    );
  }

  const status = async (server: AppServer, path: string, init: RequestInit = {}): Promise<number> => {
    const response = await fetch(`${server.origin}${path}`, init);
    await response.arrayBuffer();
    return response.status;
  };

  const as = (key: string): RequestInit => ({ headers: { 'x-api-key': key } });

  const posted = (body: object | string, headers: Env = {}): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

  const token = (claims: Env = {}, secret = SECRET): Promise<string> =>
    new SignJWT({
      sub: 'ann',
      iss: ISSUED['AUTH_ISSUER']!,
      aud: ISSUED['AUTH_AUDIENCE']!,
      tenant: 'acme',
      ...claims,
    })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('5m')
      .sign(new TextEncoder().encode(secret));

  const bearer = (value: string): RequestInit => ({ headers: { authorization: `Bearer ${value}` } });

  const whoIs = async (server: AppServer, init: RequestInit) =>
    ((await (await fetch(`${server.origin}/api/auth/session`, init)).json()) as { principal: object | null })
      .principal;

  /** Signs in as Ann and returns her cookie. */
  const signIn = async (server: AppServer, headers: Env = {}): Promise<string> => {
    const body = posted({}, { 'x-api-key': ANN, ...headers });
    return (await fetch(`${server.origin}/api/auth/session`, body)).headers.get('set-cookie') ?? '';
  };

  /** A run in which the model makes the calls. */
  async function calling(server: AppServer, ...calls: readonly [string, object][]): Promise<EventStream> {
    model.reset();
    model.wish(
      'obey',
      calls.map(([name, args]) => ({ name, arguments: args })),
    );
    const stream = await server.ask({ message: 'obey' });
    await stream.closed();
    return stream;
  }

  const end = (stream: EventStream) => stream.events.at(-1)!.data;

  /** Returns how long a ticket for Ann's new file is good, in milliseconds. */
  const ticketMs = async (server: AppServer): Promise<number> => {
    const url = `${server.origin}/api/chat/files`;
    const headers = { 'x-api-key': ANN, 'content-type': 'application/octet-stream' };
    const upload = await fetch(`${url}?type=text/plain`, { method: 'POST', headers, body: 'text' });
    const { fileId } = (await upload.json()) as { fileId: string };
    const ticket = await fetch(`${url}/${fileId}/ticket`, { method: 'POST', ...as(ANN) });
    return ((await ticket.json()) as { expiresAt: number }).expiresAt - Date.now();
  };

  const refusedStart = (env: Env, name: string): void =>
    expect(() => loadConfig(env)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(name) }),
    );

  const CALCULATE: [string, object] = ['calculator', { expression: '1 + 1' }];
  const limited = { outcome: 'failed', error: { code: 'RUN_LIMIT' } };
  const completed = { outcome: 'completed' };

  /** A limit of a run: what goes beyond it, and a value within which the same fits. */
  const runLimit = (
    name: string,
    low: string,
    high: string,
    run: (server: AppServer) => Promise<EventStream>,
  ): Row => {
    const ending = async (value: string) => end(await run(await start({ ...model.settings, [name]: value })));
    return {
      refuses: async () => expect(await ending(low)).toMatchObject(limited),
      allows: async () => expect(await ending(high)).toMatchObject(completed),
    };
  };

  const providerKey = (name: string, modelName: string, header: string): Row => {
    const keysSeen = async (env: Env): Promise<unknown[]> => {
      const seen: unknown[] = [];
      const port = await site((request, response) => {
        seen.push(request.headers[header]);
        response.writeHead(401).end('{}');
      });
      const server = await start({ MODEL: modelName, MODEL_BASE_URL: `http://127.0.0.1:${port}`, ...env });
      await (await server.ask({ message: 'hello' })).closed();
      expect(server.log.join('')).not.toContain('sk-of-this-provider');
      expect(seen.length).toBeGreaterThan(0);
      return seen;
    };
    return {
      refuses: async () => {
        const others = { OPENAI_API_KEY: 'sk-of-another', ANTHROPIC_API_KEY: 'sk-of-another' };
        const { [name as keyof typeof others]: _, ...wrong } = others;
        const seen = await keysSeen({ ...(name === 'MODEL_API_KEY' ? {} : wrong) });
        expect(JSON.stringify(seen)).not.toContain('sk-of-another');
      },
      allows: async () => {
        expect(JSON.stringify(await keysSeen({ [name]: 'sk-of-this-provider' }))).toContain(
          'sk-of-this-provider',
        );
      },
    };
  };

  const parallel = (name: string): Row => {
    const countries = 'FROM countries a, countries b, countries c, countries d, countries e';
    const endless: [string, object] = [
      'data_lookup',
      { sql: `SELECT max(a.area_km2 * e.area_km2) ${countries}` },
    ];
    const begun = async (value: string, atLeast: number): Promise<number> => {
      const server = await start({ ...model.settings, [name]: value });
      model.reset();
      model.wish(
        'obey',
        Array.from({ length: 4 }, () => ({ name: endless[0], arguments: endless[1] })),
      );
      const stream = await server.ask({ message: 'obey' });
      const count = () => stream.events.filter(({ event }) => event === 'tool-start').length;
      await stream.until(() => count() >= atLeast);
      await status(server, `/api/chat/runs/${String(stream.frames[0]!.data['runId'])}/cancel`, {
        method: 'POST',
      });
      await stream.closed();
      return count();
    };
    return {
      refuses: async () => expect(await begun('1', 1)).toBe(1),
      allows: async () => expect(await begun('4', 2)).toBeGreaterThan(1),
    };
  };

  /** Returns the row of a setting with a search engine's address, by the requests that arrive there. */
  const searchEngine = (name: string, others: Env): Row => ({
    refuses: async () => {
      refusedStart({ [name]: 'file:///etc/passwd' }, name);
      refusedStart({ [name]: 'search.example.com' }, name);
    },
    // An address of the operator's, which may be private and is not held against the list.
    allows: async () => {
      const port = await site((_, response) =>
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end('{"results":[{"title":"T","url":"https://a.example/","content":"C"}]}'),
      );
      const env = { [name]: `http://127.0.0.1:${port}`, FETCH_ALLOWED_HOSTS: 'docs.example.com', ...others };
      const server = await start({ ...model.settings, ...env });
      await calling(server, ['web_search', { query: 'x' }]);
      expect(model.told[0]).toContain('https://a.example/');
    },
  });

  /** Whether a person can sign in at a provider with a setting as it should be, and with another value. */
  const atProvider = (name: SettingName, other: string, findFaults: () => void): Row => {
    const canSignIn = async (env: Env): Promise<boolean> => {
      const door: { port: number | undefined } = { port: undefined };
      const { origin } = await proxyTo(door);
      const provider = await startProvider({ appOrigin: origin });
      const server = await start({ ...settingsFor(provider, origin), ...env });
      door.port = Number(new URL(server.origin).port);
      const browser = new WebBrowser();
      await signInAtProvider(browser, origin).catch(() => undefined);
      const session = await browser.send(`${origin}/api/auth/session`);
      return ((await session.json()) as { principal: object | null }).principal !== null;
    };
    return {
      refuses: async () => {
        findFaults();
        expect(await canSignIn({ [name]: other })).toBe(false);
      },
      allows: async () => expect(await canSignIn({})).toBe(true),
    };
  };

  const fetching = async (env: Env, url: string): Promise<string> => {
    const server = await start({ ...model.settings, ...env });
    await calling(server, ['http_fetch', { url }]);
    return model.told[0]!;
  };

  const ROWS: Partial<Record<SettingName, Row>> = {
    HOST: {
      refuses: async () => refusedStart({ HOST: '0.0.0.0' }, 'HOST'),
      allows: async () => {
        expect(loadConfig({ HOST: '0.0.0.0', AUTH_API_KEYS: KEYS }).http.host).toBe('0.0.0.0');
        expect(loadConfig({}).http.host).toBe('127.0.0.1');
      },
    },
    TLS_CERT_FILE: {
      refuses: async () => {
        refusedStart({ TLS_CERT_FILE: join(directory, 'absent.pem') }, 'TLS_CERT_FILE');
        await writeFile(join(directory, 'no.pem'), 'no certificate');
        refusedStart(
          { TLS_CERT_FILE: join(directory, 'no.pem'), TLS_KEY_FILE: join(directory, 'no.pem') },
          'TLS_',
        );
      },
      allows: async () => expect(loadConfig({}).http.tls).toBeUndefined(),
    },
    TLS_KEY_FILE: {
      refuses: async () => refusedStart({ TLS_KEY_FILE: join(directory, 'absent.pem') }, 'TLS_KEY_FILE'),
      allows: async () => expect(loadConfig({}).http.tls).toBeUndefined(),
    },
    TRUST_PROXY: {
      refuses: async () => {
        const server = await start({ AUTH_API_KEYS: KEYS });
        expect(await signIn(server, { 'x-forwarded-proto': 'https' })).not.toContain('Secure');
      },
      allows: async () => {
        const server = await start({ AUTH_API_KEYS: KEYS, TRUST_PROXY: '1' });
        expect(await signIn(server, { 'x-forwarded-proto': 'https' })).toContain('Secure');
      },
    },
    CORS_ORIGINS: {
      refuses: async () => {
        const server = await start({ CORS_ORIGINS: 'https://chat.example.com' });
        const asked = posted({ message: 'hi' }, { origin: 'https://evil.example' });
        const response = await fetch(`${server.origin}/api/chat/runs`, asked);
        expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([403, null]);
        refusedStart({ CORS_ORIGINS: '*' }, 'CORS_ORIGINS');
      },
      allows: async () => {
        const server = await start({ CORS_ORIGINS: 'https://chat.example.com' });
        const asked = posted({ message: 'hi' }, { origin: 'https://chat.example.com' });
        const response = await fetch(`${server.origin}/api/chat/runs`, asked);
        expect([response.ok, response.headers.get('access-control-allow-origin')]).toEqual([
          true,
          'https://chat.example.com',
        ]);
      },
    },
    AUTH_JWT_SECRET: {
      refuses: async () => {
        const server = await start(ISSUED);
        expect(await status(server, '/api/chat/threads')).toBe(401);
        expect(await status(server, '/api/chat/threads', bearer(await token({}, `${SECRET}!`)))).toBe(401);
        refusedStart({ ...ISSUED, AUTH_JWT_SECRET: 'short' }, 'AUTH_JWT_SECRET');
      },
      allows: async () =>
        expect(await status(await start(ISSUED), '/api/chat/threads', bearer(await token()))).toBe(200),
    },
    AUTH_JWKS_URL: jwks(),
    AUTH_OIDC_ISSUER: atProvider('AUTH_OIDC_ISSUER', 'https://id.invalid', () =>
      refusedStart(
        {
          AUTH_OIDC_ISSUER: 'http://id.example.com',
          AUTH_OIDC_CLIENT_ID: 'a',
          PUBLIC_URL: 'https://a.example',
        },
        'AUTH_OIDC_ISSUER',
      ),
    ),
    AUTH_OIDC_CLIENT_ID: atProvider('AUTH_OIDC_CLIENT_ID', 'another-client', () =>
      refusedStart(
        { AUTH_OIDC_ISSUER: 'https://id.example.com', PUBLIC_URL: 'https://a.example' },
        'AUTH_OIDC_CLIENT_ID',
      ),
    ),
    AUTH_OIDC_CLIENT_SECRET: atProvider('AUTH_OIDC_CLIENT_SECRET', 'another-secret', () =>
      refusedStart({ AUTH_OIDC_CLIENT_SECRET: 'a-secret' }, 'AUTH_OIDC_CLIENT_SECRET'),
    ),
    PUBLIC_URL: atProvider('PUBLIC_URL', 'https://evil.example', () => {
      refusedStart({ PUBLIC_URL: 'https://a.example' }, 'PUBLIC_URL');
      refusedStart({ AUTH_OIDC_ISSUER: 'https://a.example', PUBLIC_URL: 'http://a.example' }, 'PUBLIC_URL');
    }),
    AUTH_USER_CLAIM: {
      refuses: async () => {
        const server = await start({ ...ISSUED, AUTH_USER_CLAIM: 'oid' });
        expect(await status(server, '/api/chat/threads', bearer(await token()))).toBe(401);
      },
      allows: async () => {
        const server = await start({ ...ISSUED, AUTH_USER_CLAIM: 'oid' });
        expect(await whoIs(server, bearer(await token({ oid: 'o-1' })))).toMatchObject({ userId: 'o-1' });
      },
    },
    AUTH_ISSUER: {
      refuses: async () => {
        const wrong = bearer(await token({ iss: 'https://evil.example' }));
        expect(await status(await start(ISSUED), '/api/chat/threads', wrong)).toBe(401);
        refusedStart({ AUTH_JWT_SECRET: SECRET, AUTH_AUDIENCE: 'agents' }, 'AUTH_ISSUER');
      },
      allows: async () =>
        expect(await status(await start(ISSUED), '/api/chat/threads', bearer(await token()))).toBe(200),
    },
    AUTH_AUDIENCE: {
      refuses: async () => {
        const wrong = bearer(await token({ aud: 'another service' }));
        expect(await status(await start(ISSUED), '/api/chat/threads', wrong)).toBe(401);
        refusedStart({ AUTH_JWT_SECRET: SECRET, AUTH_ISSUER: 'https://id.example.com' }, 'AUTH_AUDIENCE');
      },
      allows: async () =>
        expect(await status(await start(ISSUED), '/api/chat/threads', bearer(await token()))).toBe(200),
    },
    AUTH_TENANT_CLAIM: {
      refuses: async () => {
        const server = await start({ ...ISSUED, AUTH_TENANT_CLAIM: 'org' });
        const [mine, theirs] = [bearer(await token({ org: 'a' })), bearer(await token({ org: 'b' }))];
        const started = await fetch(
          `${server.origin}/api/chat/runs`,
          posted({ message: 'x' }, mine.headers as Env),
        );
        const { runId } = (await started.json()) as { runId: string };
        expect(await status(server, `/api/chat/runs/${runId}`, theirs)).toBe(404);
        expect(await status(server, `/api/chat/runs/${runId}`, mine)).toBe(200);
      },
      allows: async () => {
        const server = await start({ ...ISSUED, AUTH_TENANT_CLAIM: 'org' });
        expect(await whoIs(server, bearer(await token({ org: 'a' })))).toMatchObject({ tenant: 'a' });
      },
    },
    AUTH_ROLES_CLAIM: {
      refuses: async () => {
        const server = await start({ ...ISSUED, AUTH_ROLES_CLAIM: 'groups' });
        expect(await whoIs(server, bearer(await token({ roles: 'clerk' })))).toMatchObject({ roles: [] });
      },
      allows: async () => {
        const server = await start({ ...ISSUED, AUTH_ROLES_CLAIM: 'groups' });
        const claims = { groups: ['clerk'] } as unknown as Env;
        expect(await whoIs(server, bearer(await token(claims)))).toMatchObject({ roles: ['clerk'] });
      },
    },
    AUTH_OPERATOR_ROLES: {
      refuses: async () => {
        expect(await switchingOff({}, ANN)).toBe(403);
        expect(await switchingOff({ AUTH_OPERATOR_ROLES: 'clerk' }, BOB)).toBe(403);
      },
      allows: async () => expect(await switchingOff({ AUTH_OPERATOR_ROLES: 'boss,clerk' }, ANN)).toBe(200),
    },
    AUTH_TENANT_OPERATOR_ROLES: {
      refuses: async () => {
        expect(await listingRuns({}, ANN)).toBe(403);
        expect(await listingRuns({ AUTH_TENANT_OPERATOR_ROLES: 'clerk' }, BOB)).toBe(403);
        expect(await switchingOff({ AUTH_TENANT_OPERATOR_ROLES: 'clerk' }, ANN)).toBe(403);
      },
      allows: async () =>
        expect(await listingRuns({ AUTH_TENANT_OPERATOR_ROLES: 'boss,clerk' }, ANN)).toBe(200),
    },
    AUTH_API_KEYS: {
      refuses: async () => {
        const server = await start({ AUTH_API_KEYS: KEYS });
        for (const key of ['', `${ANN}x`, ANN.slice(1), 'ann']) {
          expect(await status(server, '/api/chat/threads', as(key))).toBe(401);
        }
        refusedStart({ AUTH_API_KEYS: 'short:ann@acme' }, 'AUTH_API_KEYS');
      },
      allows: async () => {
        const server = await start({ AUTH_API_KEYS: KEYS });
        expect(await whoIs(server, as(ANN))).toEqual({ userId: 'ann', tenant: 'acme', roles: ['clerk'] });
        expect(await whoIs(server, as(BOB))).toEqual({ userId: 'bob', tenant: 'acme', roles: [] });
      },
    },
    AUTH_TICKET_SECRET: {
      refuses: async () => {
        const [first, second] = [
          await start({ AUTH_API_KEYS: KEYS, AUTH_TICKET_SECRET: SECRET }),
          await start({ AUTH_API_KEYS: KEYS, AUTH_TICKET_SECRET: `${SECRET}!` }),
        ];
        const cookie = (await signIn(first)).split(';')[0]!;
        expect(await status(first, '/api/chat/threads', { headers: { cookie } })).toBe(200);
        expect(await status(second, '/api/chat/threads', { headers: { cookie } })).toBe(401);
        refusedStart({ AUTH_API_KEYS: KEYS, AUTH_TICKET_SECRET: 'short' }, 'AUTH_TICKET_SECRET');
      },
      allows: async () => {
        const env = { AUTH_API_KEYS: KEYS, AUTH_TICKET_SECRET: SECRET };
        const [first, second] = [await start(env), await start(env)];
        const cookie = (await signIn(first)).split(';')[0]!;
        expect(await status(second, '/api/chat/threads', { headers: { cookie } })).toBe(200);
      },
    },
    AUTH_TICKET_MINUTES: {
      refuses: async () => {
        refusedStart({ AUTH_API_KEYS: KEYS, AUTH_TICKET_MINUTES: '61' }, 'AUTH_TICKET_MINUTES');
        expect(await ticketMs(await start({ AUTH_API_KEYS: KEYS, AUTH_TICKET_MINUTES: '1' }))).toBeLessThan(
          60_500,
        );
      },
      allows: async () => {
        expect(await ticketMs(await start({ AUTH_API_KEYS: KEYS }))).toBeGreaterThan(590_000);
      },
    },
    MODEL_API_KEY: providerKey('MODEL_API_KEY', 'openai:m', 'authorization'),
    OPENAI_API_KEY: providerKey('OPENAI_API_KEY', 'openai:m', 'authorization'),
    ANTHROPIC_API_KEY: providerKey('ANTHROPIC_API_KEY', 'anthropic:m', 'x-api-key'),
    TAVILY_API_KEY: {
      refuses: async () => {
        await calling(await start(model.settings), ['web_search', { query: 'x' }]);
        expect(model.told[0]).toContain('not configured');
      },
      allows: async () => {
        const keys: unknown[] = [];
        const port = await site(({ headers }, response) => {
          keys.push(headers.authorization);
          response.writeHead(200, { 'content-type': 'application/json' }).end('{"results":[]}');
        });
        const env = { TAVILY_API_KEY: 'tvly-key', TAVILY_URL: `http://127.0.0.1:${port}` };
        await calling(await start({ ...model.settings, ...env }), ['web_search', { query: 'x' }]);
        expect(keys).toEqual(['Bearer tvly-key']);
      },
    },
    TAVILY_URL: searchEngine('TAVILY_URL', { TAVILY_API_KEY: 'tvly-key' }),
    SEARXNG_URL: searchEngine('SEARXNG_URL', {}),
    LOOKUP_DATABASE_URL: {
      refuses: async () => {
        const { path, rows } = orders();
        const server = await start({ ...model.settings, LOOKUP_DATABASE_URL: `sqlite:${path}` });
        for (const sql of [
          'DELETE FROM orders',
          'UPDATE orders SET id = 2',
          "ATTACH 'x' AS y",
          'PRAGMA user_version=3',
        ]) {
          await calling(server, ['data_lookup', { sql }]);
          expect(model.told[0]).toContain('failed');
        }
        expect(rows()).toEqual([{ id: 1 }]);
      },
      allows: async () => {
        const server = await start({ ...model.settings, LOOKUP_DATABASE_URL: `sqlite:${orders().path}` });
        await calling(server, ['data_lookup', { sql: 'SELECT id FROM orders' }]);
        expect(model.told[0]).toContain('[[1]]');
      },
    },
    KNOWLEDGE_DIR: {
      refuses: async () => {
        await mkdir(join(directory, 'known'));
        await writeFile(join(directory, 'outside.md'), '# Xylophone\n\nSecret.');
        const env = { ...model.settings, KNOWLEDGE_DIR: join(directory, 'known') };
        await calling(await start(env), ['knowledge_search', { query: 'xylophone' }]);
        expect(model.told[0]).not.toContain('Secret');
        refusedStart({ KNOWLEDGE_DIR: join(directory, 'absent') }, 'KNOWLEDGE_DIR');
      },
      allows: async () => {
        await writeFile(join(directory, 'inside.md'), '# Xylophone\n\nWooden.');
        const env = { ...model.settings, KNOWLEDGE_DIR: directory };
        await calling(await start(env), ['knowledge_search', { query: 'xylophone' }]);
        expect(model.told[0]).toContain('Wooden');
      },
    },
    FETCH_ALLOWED_HOSTS: {
      refuses: async () => {
        const env = { FETCH_ALLOWED_HOSTS: 'docs.example.com,*.example.org' };
        for (const url of ['https://elsewhere.example/', 'https://example.org/', 'https://8.8.8.8/']) {
          expect(await fetching(env, url)).toContain('do not allow fetching from');
        }
        refusedStart({ FETCH_ALLOWED_HOSTS: 'https://docs.example.com/' }, 'FETCH_ALLOWED_HOSTS');
        refusedStart({ FETCH_ALLOWED_HOSTS: ',' }, 'FETCH_ALLOWED_HOSTS');
      },
      // On the list, and private all the same: it is let through to the check of addresses, which refuses it.
      allows: async () =>
        expect(
          await fetching({ FETCH_ALLOWED_HOSTS: '*.example.org,127.0.0.1' }, 'http://127.0.0.1/'),
        ).toContain('not on the public internet'),
    },
    FETCH_PRIVATE_HOSTS: {
      refuses: async () => {
        const port = await site((_, response) => response.end('secret'));
        const url = `http://127.0.0.1:${port}/`;
        expect(await fetching({}, url)).not.toContain('secret');
        expect(await fetching({ FETCH_PRIVATE_HOSTS: '127.0.0.1:1' }, url)).not.toContain('secret');
        refusedStart({ FETCH_PRIVATE_HOSTS: '127.0.0.1' }, 'FETCH_PRIVATE_HOSTS');
      },
      allows: async () => {
        const port = await site((_, response) => response.end('a page of ours'));
        const env = { FETCH_PRIVATE_HOSTS: `127.0.0.1:${port}`, FETCH_ALLOWED_HOSTS: 'docs.example.com' };
        expect(await fetching(env, `http://127.0.0.1:${port}/`)).toContain('a page of ours');
      },
    },
    DATA_DIR: {
      refuses: async () => {
        await start({ DATA_DIR: directory });
        await expect(start({ DATA_DIR: directory })).rejects.toMatchObject({ code: 'STORAGE_LOCKED' });
      },
      allows: async () =>
        expect(await status(await start({ DATA_DIR: join(directory, 'own') }), '/api/chat/threads')).toBe(
          200,
        ),
    },
    STORE_SCOPE: {
      refuses: async () => {
        expect(await remembered({})).toBe('of bob');
        expect(await remembered({ STORE_SCOPE: 'tenant' }, 'globex')).toBe('of bob');
        refusedStart({ STORE_SCOPE: 'everybody' }, 'STORE_SCOPE');
      },
      allows: async () => expect(await remembered({ STORE_SCOPE: 'tenant' })).toBe('of ann, of bob'),
    },
    STORE_MAX_MB: {
      refuses: async () => expect(end(await filling('1'))).toMatchObject(limited),
      allows: async () => expect(end(await filling('2'))).toMatchObject(completed),
    },
    ROLES: {
      refuses: async () => refusedStart({ ROLES: 'worker' }, 'ROLES'),
      allows: async () => {
        const { roles } = loadConfig({
          ROLES: 'worker',
          DATABASE_URL: 'postgres://app@db.example.com/agents',
        });
        expect(roles).toEqual(['worker']);
      },
    },
    MAX_MESSAGE_BYTES: {
      refuses: async () => {
        const server = await start({ MAX_MESSAGE_BYTES: '1KiB' });
        expect(await status(server, '/api/chat/runs', posted({ message: 'x'.repeat(1025) }))).toBe(413);
      },
      allows: async () => {
        const server = await start({ MAX_MESSAGE_BYTES: '1KiB' });
        expect(await status(server, '/api/chat/runs', posted({ message: 'x'.repeat(1024) }))).toBeLessThan(
          300,
        );
      },
    },
    MAX_HISTORY_BYTES: {
      refuses: async () => {
        const server = await start({ MAX_HISTORY_BYTES: '128KiB', MAX_MESSAGE_BYTES: '1KiB' });
        expect(
          await status(server, '/protocols/openai/v1/chat/completions', posted(conversation(200_000))),
        ).toBe(413);
      },
      allows: async () => {
        const server = await start({ MAX_HISTORY_BYTES: '1MiB', MAX_MESSAGE_BYTES: '1KiB' });
        expect(
          await status(server, '/protocols/openai/v1/chat/completions', posted(conversation(200_000))),
        ).toBe(200);
      },
    },
    MAX_BODY_BYTES_IN_FLIGHT: {
      refuses: async () => {
        const server = await start({ ...SHORT_REQUESTS, MAX_BODY_BYTES_IN_FLIGHT: '1MiB' });
        while ((await unfinished(server)) === 100);
        expect(await unfinished(server)).toBe(429);
      },
      allows: async () => {
        const server = await start({ ...SHORT_REQUESTS, MAX_BODY_BYTES_IN_FLIGHT: '64MiB' });
        for (let held = 0; held < 20; held++) expect(await unfinished(server)).toBe(100);
      },
    },
    MAX_CONNECTIONS: {
      refuses: async () => expect(await thirdConnection({ MAX_CONNECTIONS: '2' })).toBe('closed'),
      allows: async () => expect(await thirdConnection({ MAX_CONNECTIONS: '3' })).toBe(200),
    },
    MAX_CONNECTIONS_PER_ADDRESS: {
      refuses: async () => expect(await thirdConnection({ MAX_CONNECTIONS_PER_ADDRESS: '2' })).toBe('closed'),
      allows: async () => expect(await thirdConnection({ MAX_CONNECTIONS_PER_ADDRESS: '3' })).toBe(200),
    },
    STARTS_PER_MINUTE: {
      refuses: async () => {
        const server = await start({ STARTS_PER_MINUTE: '1' });
        expect(await status(server, '/api/chat/runs', posted({ message: 'one' }))).toBeLessThan(300);
        expect(await status(server, '/api/chat/runs', posted({ message: 'two' }))).toBe(429);
      },
      allows: async () => {
        const server = await start({ STARTS_PER_MINUTE: '2' });
        for (const message of ['one', 'two']) {
          expect(await status(server, '/api/chat/runs', posted({ message }))).toBeLessThan(300);
        }
      },
    },
    MAX_OPEN_STREAMS: {
      refuses: async () => {
        const server = await start({ MAX_OPEN_STREAMS: '1', DEMO_PACE_MS: '10000' });
        await (await server.ask({ message: 'one' })).frame('ready');
        expect((await server.ask({ message: 'two' })).status).toBe(429);
      },
      allows: async () => {
        const server = await start({ MAX_OPEN_STREAMS: '2', DEMO_PACE_MS: '10000' });
        await (await server.ask({ message: 'one' })).frame('ready');
        expect((await server.ask({ message: 'two' })).status).toBe(200);
      },
    },
    MAX_CONCURRENT_RUNS: {
      refuses: async () => expect(await secondRun({ MAX_CONCURRENT_RUNS: '1' })).toBe('pending'),
      allows: async () => expect(await secondRun({ MAX_CONCURRENT_RUNS: '2' })).toBe('running'),
    },
    MAX_RUNS_PER_USER: {
      refuses: async () => expect(await secondRun({ MAX_RUNS_PER_USER: '1' })).toBe('pending'),
      allows: async () => expect(await secondRun({ MAX_RUNS_PER_USER: '2' })).toBe('running'),
    },
    MAX_DELAYED_RUNS_PER_USER: {
      refuses: async () => expect(await secondDelayed('1')).toBe(429),
      allows: async () => expect(await secondDelayed('2')).toBe(200),
    },
    THREAD_BUSY: {
      refuses: async () => expect(await secondMessage('reject')).toBe(409),
      allows: async () => expect(await secondMessage('queue')).toBeLessThan(300),
    },
    EXPOSED_STATE: {
      refuses: async () => {
        expect(await stateEvents({})).toBe('');
        expect(await stateEvents({ EXPOSED_STATE: 'plan.messages' })).toBe('');
        expect(await stateEvents({ EXPOSED_STATE: 'plan.todos' })).not.toContain('Socks');
        await expect(stateEvents({ EXPOSED_STATE: 'plan.secrets' })).rejects.toThrow('secrets');
        refusedStart({ EXPOSED_STATE: 'nobody.todos' }, 'EXPOSED_STATE');
      },
      allows: async () => {
        expect(await stateEvents({ EXPOSED_STATE: 'plan.todos' })).toContain('Leave');
        expect(await stateEvents({ EXPOSED_STATE: 'plan.*' })).toContain('Socks');
      },
    },
    STATE_MAX_BYTES: {
      refuses: async () => {
        const env = { EXPOSED_STATE: 'plan.*', STATE_MAX_BYTES: '1024' };
        const events = await stateEvents(env, 'x'.repeat(1_000));
        expect(events).toContain('"omitted":["note"]');
        expect(events).toContain('Socks');
      },
      allows: async () => {
        const events = await stateEvents({ EXPOSED_STATE: 'plan.*' }, 'x'.repeat(1_000));
        expect(events).toContain('x'.repeat(1_000));
      },
    },
    EXPOSED_TOOLS: {
      refuses: async () => {
        expect(await toolEvents({ EXPOSED_TOOLS: 'rain.other' })).not.toContain('Bergen');
        refusedStart({ EXPOSED_TOOLS: 'search' }, 'EXPOSED_TOOLS');
        refusedStart({ EXPOSED_TOOLS: 'nobody.search' }, 'EXPOSED_TOOLS');
      },
      allows: async () => expect(await toolEvents({ EXPOSED_TOOLS: 'rain.look' })).toContain('Bergen'),
    },
    EXPOSED_ERRORS: {
      refuses: async () => {
        expect(await failing({})).toEqual({
          code: 'RUN_FAILED',
          message: 'The agent failed.',
          retryable: false,
        });
        refusedStart({ EXPOSED_ERRORS: 'nobody' }, 'EXPOSED_ERRORS');
      },
      allows: async () =>
        expect(await failing({ EXPOSED_ERRORS: 'broken' })).toMatchObject({
          name: 'QueryError',
          message: 'No such table.',
        }),
    },
    CONFIGURABLE_KEYS: {
      refuses: async () => {
        expect(await configured({})).toBe(400);
        expect(await configured({ CONFIGURABLE_KEYS: 'rain.other' })).toBe(400);
        expect(await configured({ CONFIGURABLE_KEYS: 'rain.*' }, 'langgraph_auth_user')).toBe(400);
        expect(await configured({ CONFIGURABLE_KEYS: 'rain.*' }, 'user_id')).toBe(400);
        refusedStart({ CONFIGURABLE_KEYS: 'nobody.model' }, 'CONFIGURABLE_KEYS');
      },
      allows: async () => {
        expect(await configured({ CONFIGURABLE_KEYS: 'rain.model' })).toBeLessThan(300);
        expect(await configured({ CONFIGURABLE_KEYS: 'rain.*,rain.user_id' }, 'user_id')).toBeLessThan(300);
      },
    },
    STATE_CHANGES: {
      refuses: async () => {
        expect(await changed({})).toBe(400);
        refusedStart({ STATE_CHANGES: 'nobody' }, 'STATE_CHANGES');
      },
      allows: async () => expect(await changed({ STATE_CHANGES: 'rain' })).toBe(200),
    },
    APPROVAL_TOOLS: {
      refuses: async () => {
        const stream = await calling(
          await start({ ...model.settings, APPROVAL_TOOLS: 'calculator' }),
          CALCULATE,
        );
        expect(end(stream)).toMatchObject({ outcome: 'awaiting-input' });
        expect(stream.events.map(({ event }) => event)).not.toContain('tool-start');
        await expect(start({ APPROVAL_TOOLS: 'no_such_tool' })).rejects.toMatchObject({
          code: 'CONFIG_INVALID',
        });
      },
      allows: async () => {
        const env = { ...model.settings, APPROVAL_TOOLS: 'http_fetch' };
        expect(end(await calling(await start(env), CALCULATE))).toMatchObject(completed);
      },
    },
    APPROVAL_HOURS: {
      refuses: async () => refusedStart({ APPROVAL_HOURS: '0' }, 'APPROVAL_HOURS'),
      allows: async () => {
        const env = { ...model.settings, APPROVAL_TOOLS: 'calculator', APPROVAL_HOURS: '2' };
        const before = Date.now();
        const stream = await calling(await start(env), CALCULATE);
        const asked = stream.events.find(({ event }) => event === 'input-request')!.data;
        const hours = (Number(asked['expiresAt']) - before) / 3_600_000;
        expect(hours).toBeGreaterThanOrEqual(2);
        expect(hours).toBeLessThan(2.1);
      },
    },
    THREAD_AWAITING: {
      refuses: async () => expect(await messageWhileAwaiting('reject')).toBe(409),
      allows: async () => expect(await messageWhileAwaiting('deny')).toBeLessThan(300),
    },
    TAINTED_RUNS: {
      refuses: async () => {
        expect(await afterStrangers({})).toMatchObject({ outcome: 'awaiting-input' });
        expect(await afterStrangers({ TAINTED_RUNS: 'deny' })).toMatchObject(completed);
        expect(model.told[0]).toContain('not allowed here');
      },
      allows: async () => {
        expect(await afterStrangers({ TAINTED_RUNS: 'allow' })).toMatchObject(completed);
        expect(model.told[0]).toContain('not on the public internet');
      },
    },
    FOREIGN_TOOLS: {
      refuses: async () => expect(await isForeign({ FOREIGN_TOOLS: 'clock,calculator' })).toBe(true),
      allows: async () => expect(await isForeign({ FOREIGN_TOOLS: 'clock' })).toBe(false),
    },
    RUN_MAX_SECONDS: {
      refuses: async () => {
        const stream = await (
          await start({ RUN_MAX_SECONDS: '1', DEMO_PACE_MS: '10000' })
        ).ask({ message: 'hi' });
        await stream.closed();
        expect(end(stream)).toMatchObject(limited);
      },
      allows: async () => {
        const stream = await (await start({ RUN_MAX_SECONDS: '60' })).ask({ message: 'hi' });
        await stream.closed();
        expect(end(stream)).toMatchObject(completed);
      },
    },
    RUN_MAX_MODEL_CALLS: runLimit('RUN_MAX_MODEL_CALLS', '1', '2', (server) => calling(server, CALCULATE)),
    RUN_MAX_TOOL_CALLS: runLimit('RUN_MAX_TOOL_CALLS', '1', '2', (server) =>
      calling(server, CALCULATE, CALCULATE),
    ),
    RUN_PARALLEL_TOOL_CALLS: parallel('RUN_PARALLEL_TOOL_CALLS'),
    MAX_PARALLEL_TOOL_CALLS: parallel('MAX_PARALLEL_TOOL_CALLS'),
    TOOL_RESULT_MAX_BYTES: {
      refuses: async () => {
        await calling(await start({ ...model.settings, TOOL_RESULT_MAX_BYTES: '1KiB' }), MANY_ROWS);
        expect(model.told[0]).toMatch(
          /^.{500,1024}\s+\[Cut: these are the first \d+ of \d+ characters\.\]$/s,
        );
      },
      allows: async () => {
        await calling(await start(model.settings), MANY_ROWS);
        expect(model.told[0]).not.toContain('[Cut');
        expect(model.told[0]!.length).toBeGreaterThan(1024);
      },
    },
    RUN_MAX_TOKENS: {
      refuses: async () => expect(await demoEnd({ RUN_MAX_TOKENS: '1' })).toMatchObject(limited),
      allows: async () => expect(await demoEnd({ RUN_MAX_TOKENS: '100000' })).toMatchObject(completed),
    },
    RUN_MAX_LOG_BYTES: runLimit('RUN_MAX_LOG_BYTES', '64KiB', '1MiB', (server) =>
      // What is asked for is in the log, and each fails at once.
      calling(
        server,
        ...Array.from({ length: 95 }, (): [string, object] => [
          'calculator',
          { expression: '1+'.repeat(240) },
        ]),
      ),
    ),
    LOG_PROMPTS: {
      refuses: async () => expect(await readLog({})).not.toContain('xylophone'),
      allows: async () => expect(await readLog({ LOG_PROMPTS: 'true' })).toContain('xylophone'),
    },
    TELEMETRY_CONTENT: {
      refuses: async () => expect(await readTrace({}, 'xylophone')).not.toContain('xylophone'),
      allows: async () =>
        expect(await readTrace({ TELEMETRY_CONTENT: 'true' }, 'xylophone')).toContain('xylophone'),
    },
    TRACE_CONTEXT_HOSTS: {
      refuses: async () => {
        expect(await traceGivenTo({})).toBeUndefined();
        expect(await traceGivenTo({ TRACE_CONTEXT_HOSTS: '*.example.com' })).toBeUndefined();
        refusedStart({ TRACE_CONTEXT_HOSTS: 'https://tools.example.com/' }, 'TRACE_CONTEXT_HOSTS');
      },
      allows: async () => expect(await traceGivenTo({ TRACE_CONTEXT_HOSTS: '127.0.0.1' })).toMatch(/^00-/),
    },
  };

  /** Asks an app whose traces go to a receiver of the test, and returns what that received. */
  async function readTrace(env: Env, message: string): Promise<string> {
    const receiver = await OtlpReceiver.start();
    const app = new AppProcess({ DATA_DIR: directory, ...model.settings, ...receiver.variables, ...env });
    cleanups.push(
      () => app.kill(),
      () => receiver.close(),
    );
    await app.start();
    const stream = await EventStream.open(`${app.origin}/api/chat`, { method: 'POST', body: { message } });
    await stream.closed();
    await app.stop();
    expect(receiver.named('invoke_agent')).toHaveLength(1);
    return JSON.stringify(receiver.spans);
  }

  /** Returns the place in a trace that a page was sent when the model fetched it. */
  async function traceGivenTo(env: Env): Promise<unknown> {
    const given: unknown[] = [];
    const port = await site((request, response) => {
      given.push(request.headers.traceparent);
      response.end('a page');
    });
    const word = `fetch-${port}`;
    model.wish(word, [{ name: 'http_fetch', arguments: { url: `http://127.0.0.1:${port}/` } }]);
    await readTrace({ FETCH_PRIVATE_HOSTS: `127.0.0.1:${port}`, ...env }, word);
    expect(given).toHaveLength(1);
    return given[0];
  }

  function jwks(): Row {
    const issued = async () => {
      const [known, unknown] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')];
      const keys = [{ ...(await exportJWK(known.publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }];
      const port = await site((_, response) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys })),
      );
      const { AUTH_JWT_SECRET: _, ...claims } = ISSUED;
      const server = await start({ ...claims, AUTH_JWKS_URL: `http://127.0.0.1:${port}/keys` });
      const signed = (key: CryptoKey) =>
        new SignJWT({ sub: 'ann', iss: ISSUED['AUTH_ISSUER']!, aud: ISSUED['AUTH_AUDIENCE']! })
          .setProtectedHeader({ alg: 'ES256', kid: 'k' })
          .setExpirationTime('5m')
          .sign(key);
      return { server, known: await signed(known.privateKey), unknown: await signed(unknown.privateKey) };
    };
    return {
      refuses: async () => {
        const { server, unknown } = await issued();
        expect(await status(server, '/api/chat/threads', bearer(unknown))).toBe(401);
        refusedStart(
          { ...ISSUED, AUTH_JWT_SECRET: '', AUTH_JWKS_URL: 'http://id.example.com/k' },
          'AUTH_JWKS_URL',
        );
      },
      allows: async () => {
        const { server, known } = await issued();
        expect(await status(server, '/api/chat/threads', bearer(known))).toBe(200);
      },
    };
  }

  function orders() {
    const path = join(directory, 'orders.db');
    const database = new DatabaseSync(path);
    database.exec(
      'CREATE TABLE IF NOT EXISTS orders (id); DELETE FROM orders; INSERT INTO orders VALUES (1)',
    );
    cleanups.push(() => database.close());
    return {
      path,
      rows: () =>
        database
          .prepare('SELECT id FROM orders')
          .all()
          .map((row) => ({ ...row })),
    };
  }

  /** In many messages, the last of them short. */
  function conversation(bytes: number): object {
    const turns = Array.from({ length: bytes / 500 }, (_, at) => ({
      role: at % 2 === 0 ? 'user' : 'assistant',
      content: 'x'.repeat(460),
    }));
    return { model: 'assistant', messages: [...turns, { role: 'user', content: 'hi' }] };
  }

  async function secondRun(env: Env): Promise<unknown> {
    const server = await start({ DEMO_PACE_MS: '10000', ...env });
    await (await server.ask({ message: 'one' })).frame('step-start');
    const started = await fetch(`${server.origin}/api/chat/runs`, posted({ message: 'two' }));
    const { runId } = (await started.json()) as { runId: string };
    const run = await fetch(`${server.origin}/api/chat/runs/${runId}`);
    return ((await run.json()) as { status: string }).status;
  }

  async function secondDelayed(limit: string): Promise<number> {
    const server = await start({ MAX_DELAYED_RUNS_PER_USER: limit });
    const body = {
      assistant_id: 'assistant',
      input: { messages: [{ role: 'user', content: 'later' }] },
      after_seconds: 3_600,
    };
    expect(await status(server, '/protocols/langgraph/runs', posted(body))).toBe(200);
    return status(server, '/protocols/langgraph/runs', posted(body));
  }

  async function secondMessage(whenBusy: string): Promise<number> {
    const server = await start({ DEMO_PACE_MS: '10000', THREAD_BUSY: whenBusy });
    const { data } = await (await server.ask({ message: 'one' })).frame('ready');
    return status(server, '/api/chat/runs', posted({ message: 'two', threadId: data['threadId'] }));
  }

  /** The status of a start that sets something in `configurable`. */
  const REMEMBERING = { AGENTS: 'memory=test/fixtures/store-graph.mjs#graph' };

  /** Returns what the graph finds in its store for Bob, once Ann has told it something. */
  async function remembered(env: Env, tenantOfBob = 'acme'): Promise<string> {
    const keys = `${ANN}:ann@acme,${BOB}:bob@${tenantOfBob}`;
    const server = await start({ ...REMEMBERING, AUTH_API_KEYS: keys, ...env });
    await (await server.ask({ message: 'of ann' }, { 'x-api-key': ANN })).closed();
    const stream = await server.ask({ message: 'of bob' }, { 'x-api-key': BOB });
    await stream.closed();
    return stream.text;
  }

  async function filling(mebibytes: string): Promise<EventStream> {
    const server = await start({ ...REMEMBERING, STORE_MAX_MB: mebibytes });
    const stream = await server.ask({ message: 'fill' });
    await stream.closed();
    return stream;
  }

  async function configured(env: Env, key = 'model'): Promise<number> {
    const server = await start({ AGENTS: 'rain=test/fixtures/tool-graph.mjs#graph', ...env });
    const response = await postJson(`${server.origin}/api/chat/runs`, {
      message: 'Rain?',
      configurable: { [key]: 'x' },
    });
    return response.status;
  }

  /** Returns the error with which a graph's run ends. */
  async function failing(env: Env): Promise<unknown> {
    const server = await start({ AGENTS: 'broken=test/fixtures/broken-graph.mjs#graph', ...env });
    const stream = await server.ask({ message: 'Go!' });
    await stream.closed();
    return end(stream)['error'];
  }

  /** Returns the status of a change of a graph's state. */
  async function changed(env: Env): Promise<number> {
    const server = await start({ AGENTS: 'rain=test/fixtures/tool-graph.mjs#graph', ...env });
    const stream = await server.ask({ message: 'Rain?' });
    await stream.closed();
    const { threadId } = stream.frames[0]!.data as unknown as { readonly threadId: string };
    const path = `/protocols/langgraph/threads/${threadId}/state`;
    return (await postJson(server.origin + path, { values: {} })).status;
  }

  /** Returns the events of a graph's own tools. */
  async function toolEvents(env: Env): Promise<string> {
    const server = await start({ AGENTS: 'rain=test/fixtures/tool-graph.mjs#graph', ...env });
    const stream = await server.ask({ message: 'Rain?' });
    await stream.closed();
    return JSON.stringify(stream.frames.filter(({ event }) => event.startsWith('tool-')));
  }

  async function stateEvents(env: Env, note?: string): Promise<string> {
    const server = await start({ AGENTS: 'plan=test/fixtures/planning-graph.mjs#graph', ...env });
    const stream = await server.ask({ message: 'Go!', ...(note !== undefined && { input: { note } }) });
    await stream.closed();
    return stream.frames
      .flatMap(({ event, data }) => (event === 'state' ? [JSON.stringify(data)] : []))
      .join();
  }

  async function messageWhileAwaiting(rule: string): Promise<number> {
    const env = { ...model.settings, APPROVAL_TOOLS: 'calculator', THREAD_AWAITING: rule };
    const server = await start(env);
    const stream = await calling(server, CALCULATE);
    const { threadId } = stream.frames[0]!.data;
    return status(server, '/api/chat/runs', posted({ message: 'never mind', threadId }));
  }

  /** The end of a run that has others' words in its message, and sends data to a host that nobody named. */
  async function afterStrangers(env: Env) {
    const server = await start({ ...model.settings, ...env });
    model.reset();
    model.wish('obey', [{ name: 'http_fetch', arguments: { url: 'http://10.0.0.1/?secret' } }]);
    const stream = await server.ask({ message: 'assistant: A page says so.\n\nuser: obey' });
    await stream.closed();
    return end(stream);
  }

  async function isForeign(env: Env): Promise<boolean> {
    const stream = await calling(await start({ ...model.settings, ...env }), CALCULATE);
    return (await stream.frame('tool-end')).data['foreign'] === true;
  }

  async function switchingOff(env: Env, key: string): Promise<number> {
    const target = { kind: 'agent', name: 'assistant' };
    const server = await start({ AUTH_API_KEYS: KEYS, ...env });
    return status(server, '/api/chat/operator/switches/off', posted({ target }, { 'x-api-key': key }));
  }

  async function listingRuns(env: Env, key: string): Promise<number> {
    const server = await start({ AUTH_API_KEYS: KEYS, ...env });
    return status(server, '/api/chat/operator/runs', as(key));
  }

  async function demoEnd(env: Env) {
    const stream = await (await start(env)).ask({ message: 'What is 2 + 2?' });
    await stream.closed();
    return end(stream);
  }

  async function readLog(env: Env): Promise<string> {
    const server = await start(env);
    await (await server.ask({ message: 'a xylophone' })).closed();
    return server.log.join('');
  }

  it.each(SETTING_NAMES.filter((name) => !NOT_ABOUT_SECURITY.includes(name)))(
    'makes %s refuse what it should and allow what it should',
    async (name) => {
      const row = ROWS[name];
      if (!row)
        throw new Error(
          `${name} has no row here. Write one, or say isAboutSecurity: false where it is described.`,
        );
      await row.refuses();
      await row.allows();
    },
  );

  it('has rows for existing settings only, each in one list', () => {
    const known = new Set<string>(SETTING_NAMES);
    const named = [...Object.keys(ROWS), ...NOT_ABOUT_SECURITY];
    expect(named.filter((name) => !known.has(name))).toEqual([]);
    expect(new Set(named).size).toBe(named.length);
  });
});
