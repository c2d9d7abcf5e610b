import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { AppError } from '../errors.js';
import { describeConfig } from './config-describe.js';
import { loadConfig } from './config.js';

const SECRET = 'correct-horse-battery-staple-0123456789';

function listErrors(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect(error).toHaveProperty('code', 'CONFIG_INVALID');
    return (error as AppError).options.details?.['faults'] as string[];
  }
  return [];
}

describe('loadConfig', () => {
  it('defaults to the demo model, on loopback and without authentication', () => {
    const config = loadConfig({});
    expect(config.http).toMatchObject({ host: '127.0.0.1', port: 3000, trustProxy: false, corsOrigins: [] });
    expect(config.model).toMatchObject({ name: 'demo' });
    expect(config.model.apiKey).toBeUndefined();
    expect(config.chat.auth).toMatchObject({ kind: 'local' });
    expect(config.storage).toEqual({
      sqlite: { directory: resolve('data'), synchronous: 'NORMAL' },
      postgres: { poolSize: 10 },
      s3: {},
      statesMaxBytes: 16 * 1024 ** 2,
    });
    expect(config.chat.retention).toEqual({ compactAfterMs: 3_600_000 });
    expect(config.warnings).toEqual([]);
  });

  it('lists every faulty setting at once, each with what to write instead', () => {
    const faults = listErrors({
      PORT: '30OO',
      LOG_LEVEL: 'loud',
      CORS_ORIGINS: '*',
      THREAD_BUSY: 'wait',
      RUN_MAX_LOG_BYTES: 'lots',
      LOG_PROMPTS: 'yes',
    });
    expect(faults).toEqual([
      'PORT=30OO: write a whole number from 0 to 65535.',
      expect.stringMatching(/^CORS_ORIGINS=\*: list the origins/),
      'THREAD_BUSY=wait: write one of reject, queue.',
      expect.stringMatching(/^RUN_MAX_LOG_BYTES=lots: write a number of bytes/),
      expect.stringMatching(/^LOG_LEVEL=loud: write one of fatal, error/),
      'LOG_PROMPTS=yes: write true or false.',
    ]);
  });

  it('names every faulty setting in the error message', () => {
    expect(() => loadConfig({ PORT: 'x', HEARTBEAT_SECONDS: '0' })).toThrow(
      /PORT=x: .+\n.+HEARTBEAT_SECONDS=0: /,
    );
  });

  it.each([
    ['AUTH_JWT_SECRET', 'too-short-to-be-safe'],
    ['AUTH_API_KEYS', 'hunter2:ann@acme'],
    ['AUTH_API_KEYS', 'no-principal-0123456789'],
    ['AUTH_TICKET_SECRET', 'hunter2'],
    ['MODEL_BASE_URL', 'user:hunter2@example.com'],
    ['DATABASE_URL', 'postgress://app:hunter2@db/app'],
    ['REDIS_URL', 'http://:hunter2@cache'],
  ])('does not repeat the value of %s in an error', (name, value) => {
    const [fault, ...rest] = listErrors({ [name]: value });
    expect(rest).toEqual([]);
    expect(fault).toMatch(new RegExp(`^${name}: `));
    expect(fault).not.toContain(value);
    expect(fault).not.toContain('hunter2');
  });

  it('takes blank settings as absent', () => {
    expect(loadConfig({ PORT: ' ', AUTH_JWT_SECRET: '', MODEL: '' }).http.port).toBe(3000);
  });

  it('reads settings of sizes with binary units, and of seconds as milliseconds', () => {
    const { chat, http } = loadConfig({
      MAX_MESSAGE_BYTES: '1 MiB',
      MAX_HISTORY_BYTES: '8 MiB',
      RUN_MAX_SECONDS: '60',
      HEARTBEAT_SECONDS: '5',
    });
    expect(chat).toMatchObject({
      maxMessageBytes: 1_048_576,
      limits: { maxMs: 60_000 },
      heartbeatMs: 5000,
    });
    expect(http.maxHistoryBytes).toBe(8_388_608);
  });

  it('reads settings of retention in days, megabytes and minutes', () => {
    const env = { RETENTION_DAYS: '30', RETENTION_MAX_MB: '512', COMPACT_AFTER_MINUTES: '5' };
    expect(loadConfig(env).chat.retention).toEqual({
      compactAfterMs: 300_000,
      maxAgeMs: 2_592_000_000,
      maxBytes: 536_870_912,
    });
    expect(listErrors({ RETENTION_DAYS: '0' })).toEqual([
      expect.stringMatching(/^RETENTION_DAYS=0: write a whole/),
    ]);
  });

  it('refuses a look of the page that cannot be shown or read, and says why', () => {
    const look = {
      BRAND_NAME: 'x'.repeat(61),
      BRAND_LOGO: 'package.json',
      BRAND_ACCENT: '#ffcc00,#74d6c2',
      SUGGESTIONS: 'nobody=Who?',
    };
    expect(listErrors(look)).toEqual([
      expect.stringMatching(/^BRAND_LOGO=package\.json: write the path of a picture/),
      `BRAND_NAME=${look.BRAND_NAME}: it must be a line of at most 60 characters.`,
      'BRAND_ACCENT=#ffcc00,#74d6c2: #ffcc00 has a contrast of 1.2:1 with the light page, and needs 4.5:1. Take a darker colour.',
      "SUGGESTIONS=nobody=Who?: there is no agent 'nobody'. Agents: assistant.",
    ]);
    expect(listErrors({ BRAND_ACCENT: 'red' })).toEqual([
      expect.stringMatching(/^BRAND_ACCENT=red: write two/),
    ]);
    const questions = loadConfig({ SUGGESTIONS: 'assistant= Who? | Where? ;' }).suggestions;
    expect([...questions]).toEqual([['assistant', ['Who?', 'Where?']]]);
  });

  it('asks for all that sign-in at a provider needs, and names the settings that have no effect', () => {
    expect(listErrors({ AUTH_OIDC_ISSUER: 'https://id.example.com' })).toEqual([
      'AUTH_OIDC_CLIENT_ID: set it to the name of this server at the provider; AUTH_OIDC_ISSUER needs it.',
      'PUBLIC_URL: set it to the URL at which browsers reach the page; AUTH_OIDC_ISSUER needs it.',
    ]);
    expect(listErrors({ PUBLIC_URL: 'https://chat.example.com' })).toEqual([
      expect.stringContaining('it has no effect without AUTH_OIDC_ISSUER'),
    ]);
  });

  it('uses PostgreSQL, Redis and separate roles when their settings are given', () => {
    const url = 'postgres://app:hunter2@db/app';
    expect(loadConfig({ DATABASE_URL: url })).toMatchObject({
      storage: { postgres: { url, poolSize: 10 } },
      roles: ['api', 'worker'],
    });
    const all = {
      DATABASE_URL: url,
      DATABASE_LISTEN_URL: `${url}2`,
      REDIS_URL: 'redis://cache',
      ROLES: 'worker',
    };
    expect(loadConfig(all)).toMatchObject({
      storage: { postgres: { url, listenUrl: `${url}2` }, redisUrl: 'redis://cache' },
      roles: ['worker'],
    });
  });

  it.each([
    [
      {
        DATABASE_URL: 'postgres://app:secret@db:5432/agents',
        LOOKUP_DATABASE_URL: 'postgresql://app:other@db/agents?sslmode=require',
      },
      /^LOOKUP_DATABASE_URL: it is the account that DATABASE_URL uses/,
    ],
    [{ REDIS_URL: 'redis://cache' }, /^REDIS_URL: it has no effect without DATABASE_URL/],
    [
      { DATABASE_LISTEN_URL: 'postgres://db/app' },
      /^DATABASE_LISTEN_URL: it has no effect without DATABASE_URL/,
    ],
    [{ ROLES: 'api' }, /^ROLES=api: set DATABASE_URL/],
    [{ ROLES: 'api,cook' }, /^ROLES=api,cook: write one or more of api, worker/],
    [{ DATABASE_URL: 'mysql://db/app' }, /^DATABASE_URL: write a whole URL, such as postgres:/],
  ])('refuses settings that several instances could not work with: %j', (env, fault) => {
    expect(listErrors(env as unknown as Record<string, string>)).toEqual([expect.stringMatching(fault)]);
  });

  it.each(['CORS_ORIGIN', 'TRUSTPROXY', 'run_max_tokens'])(
    'warns about %s, which is nearly the name of a setting',
    (name) => {
      expect(loadConfig({ [name]: 'x' }).warnings).toEqual([
        expect.stringContaining(`${name} is not a setting. Did you mean`),
      ]);
    },
  );

  it('does not warn about variables of other programs', () => {
    const env = {
      PATH: '/bin',
      HOME: '/root',
      HOSTNAME: 'web-1',
      POST: '1',
      NODE_ENV: 'production',
      LOGNAME: 'ann',
      TZ: 'UTC',
    };
    expect(loadConfig(env).warnings).toEqual([]);
  });

  it('warns that TRUST_PROXY=true believes any client', () => {
    expect(loadConfig({ TRUST_PROXY: 'true' }).warnings).toEqual([
      expect.stringContaining('TRUST_PROXY=true'),
    ]);
  });

  it.each([
    ['2', 2],
    ['loopback, 10.0.0.0/8', ['loopback', '10.0.0.0/8']],
  ])('trusts proxies by number or address: %s', (TRUST_PROXY, expected) => {
    expect(loadConfig({ TRUST_PROXY }).http.trustProxy).toEqual(expected);
  });

  it.each(['http://a.example/path', 'example.com', 'null', 'HTTPS://Chat.Example.com'])(
    'refuses %s as an origin',
    (origin) => {
      expect(listErrors({ CORS_ORIGINS: origin })).toEqual([expect.stringContaining('write origins')]);
    },
  );
});

describe('loadConfig with authentication', () => {
  const jwt = { AUTH_JWT_SECRET: SECRET, AUTH_ISSUER: 'https://id.example.com', AUTH_AUDIENCE: 'chat' };

  it.each(['0.0.0.0', '::', '192.168.1.5', 'chat.example.com'])(
    'refuses to listen on %s without authentication',
    (HOST) => {
      expect(listErrors({ HOST })).toEqual([
        expect.stringContaining('without authentication it may listen on loopback only'),
      ]);
      expect(loadConfig({ HOST, ...jwt }).http.host).toBe(HOST);
    },
  );

  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('listens on %s without authentication', (HOST) => {
    expect(loadConfig({ HOST }).http.host).toBe(HOST);
  });

  it('reports one fault when a secret is malformed, not a second one for missing authentication', () => {
    expect(listErrors({ HOST: '0.0.0.0', ...jwt, AUTH_JWT_SECRET: 'short' })).toHaveLength(1);
  });

  it('refuses a shared secret together with a key set', () => {
    expect(listErrors({ ...jwt, AUTH_JWKS_URL: 'https://id.example.com/keys' })).toEqual([
      'AUTH_JWT_SECRET: set this or AUTH_JWKS_URL, not both.',
    ]);
  });

  it('requires issuer and audience with a JWT secret', () => {
    expect(listErrors({ AUTH_JWT_SECRET: SECRET })).toEqual([
      expect.stringMatching(/^AUTH_ISSUER: set it/),
      expect.stringMatching(/^AUTH_AUDIENCE: set it/),
    ]);
  });

  it('refuses an issuer without a way to check its tokens', () => {
    expect(listErrors({ AUTH_ISSUER: 'https://id.example.com' })).toEqual([
      expect.stringContaining('has no effect'),
    ]);
  });

  it('maps each API key to its principal, whose user id may be an e-mail address', () => {
    const { auth } = loadConfig({
      AUTH_API_KEYS: `${SECRET}:ann@example.com@acme:admin|ops, other-key-0123456789:bot@acme`,
    }).chat;
    expect(auth).toMatchObject({
      kind: 'credentials',
      apiKeys: [
        { key: SECRET, userId: 'ann@example.com', tenant: 'acme', roles: ['admin', 'ops'] },
        { key: 'other-key-0123456789', userId: 'bot', tenant: 'acme', roles: [] },
      ],
    });
  });

  it('refuses one key for two principals', () => {
    expect(listErrors({ AUTH_API_KEYS: `${SECRET}:ann@acme,${SECRET}:bob@acme` })).toEqual([
      'AUTH_API_KEYS: entry 2 repeats a key; give each principal its own.',
    ]);
  });

  it('takes several long ticket secrets and refuses short ones and ones used elsewhere', () => {
    const [current, old] = [`new-${SECRET}`, `old-${SECRET}`];
    const keys = { AUTH_API_KEYS: `${SECRET}:ann@acme` };
    expect(loadConfig({ ...keys, AUTH_TICKET_SECRET: `${current}, ${old}` }).chat.auth).toMatchObject({
      ticketSecret: [current, old],
    });
    expect(loadConfig(keys).chat.auth).not.toHaveProperty('ticketSecret');
    expect(listErrors({ AUTH_TICKET_SECRET: `${current},short` })).toEqual([
      expect.stringMatching(/^AUTH_TICKET_SECRET: write at least 32/),
    ]);
    expect(listErrors({ ...keys, AUTH_TICKET_SECRET: `${current},${SECRET}` })).toEqual([
      expect.stringMatching(/^AUTH_TICKET_SECRET: others know it/),
    ]);
  });

  it('describes the config without secrets', () => {
    const config = loadConfig({
      ...jwt,
      AUTH_API_KEYS: `${SECRET}:ann@acme`,
      AUTH_TICKET_SECRET: `ticket-${SECRET}`,
      MODEL: 'openai:gpt-x',
      OPENAI_API_KEY: 'sk-hunter2',
      MODEL_BASE_URL: 'https://user:hunter2@llm.example.com/v1/',
    });
    expect(describeConfig(config)).toMatchObject({
      model: 'openai:gpt-x',
      auth: 'JWT (shared secret) and API keys (1)',
    });
    expect(JSON.stringify(describeConfig(config))).not.toMatch(/hunter2|correct-horse/);
  });
});

describe('loadConfig with a model', () => {
  it("takes the key of the model's own provider only", () => {
    const keys = { OPENAI_API_KEY: 'sk-openai', ANTHROPIC_API_KEY: 'sk-anthropic' };
    expect(loadConfig({ ...keys, MODEL: 'openai:gpt-x' }).model.apiKey).toBe('sk-openai');
    expect(loadConfig({ ...keys, MODEL: 'anthropic:claude-x' }).model.apiKey).toBe('sk-anthropic');
    expect(loadConfig({ ...keys, MODEL: 'ollama:qwen' }).model.apiKey).toBeUndefined();
    expect(loadConfig({ ...keys, MODEL: 'openai:x', MODEL_API_KEY: 'sk-mine' }).model.apiKey).toBe('sk-mine');
  });

  it('requires a key unless another model server is named', () => {
    expect(listErrors({ MODEL: 'openai:gpt-x' })).toEqual([
      expect.stringMatching(/^OPENAI_API_KEY: .*needs a key/),
    ]);
    expect(
      loadConfig({ MODEL: 'openai:gpt-x', MODEL_BASE_URL: 'http://localhost:8000/v1' }).model.baseUrl,
    ).toBe('http://localhost:8000/v1');
  });

  it('refuses a model or an agent that it cannot parse', () => {
    expect(listErrors({ MODEL: 'gpt-4', AGENTS: 'support' })).toEqual([
      expect.stringMatching(/^MODEL/),
      expect.stringMatching(/^AGENTS/),
    ]);
    expect(loadConfig({ AGENTS: 'support=./a.js#graph' }).agents).toEqual([
      { name: 'support', reference: './a.js#graph' },
    ]);
  });

  it('warns when a model server is named but the demo model is used', () => {
    expect(loadConfig({ MODEL_BASE_URL: 'http://localhost:8000' }).warnings).toEqual([
      expect.stringContaining('demo'),
    ]);
  });
});

describe('loadConfig with files', () => {
  const directory = mkdtempSync(join(tmpdir(), 'config-'));

  it('requires both TLS files together', () => {
    expect(listErrors({ TLS_KEY_FILE: 'key.pem' })).toEqual([expect.stringContaining('set both')]);
  });

  it('refuses TLS files that are missing or invalid', () => {
    const file = join(directory, 'not.pem');
    writeFileSync(file, 'not a certificate');
    expect(listErrors({ TLS_CERT_FILE: file, TLS_KEY_FILE: file })).toEqual([
      expect.stringContaining('cannot be read'),
    ]);
    expect(listErrors({ TLS_CERT_FILE: join(directory, 'none'), TLS_KEY_FILE: file })).toEqual([
      expect.stringContaining('(ENOENT)'),
    ]);
  });

  it('refuses a knowledge folder that does not exist', () => {
    expect(listErrors({ KNOWLEDGE_DIR: join(directory, 'none') })).toEqual([
      expect.stringContaining('no such directory'),
    ]);
    expect(loadConfig({ KNOWLEDGE_DIR: directory }).library.knowledgeDirectory).toBe(directory);
  });
});
