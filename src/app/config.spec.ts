import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { AppError } from '../errors.js';
import { describeConfig } from './config.describe.js';
import { loadConfig } from './config.js';
import { SETTING_NAMES } from './settings.js';

const SECRET = 'correct-horse-battery-staple-0123456789';

function faultsOf(env: Record<string, string>): readonly string[] {
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
  it('runs offline, on loopback and without authentication when nothing is set', () => {
    const config = loadConfig({});
    expect(config.http).toMatchObject({ host: '127.0.0.1', port: 3000, trustProxy: false, corsOrigins: [] });
    expect(config.model).toMatchObject({ name: 'demo', apiKey: undefined });
    expect(config.auth).toMatchObject({ kind: 'local' });
    expect(config.storage).toEqual({ dataDir: resolve('data'), synchronous: 'normal' });
    expect(config.retention).toEqual({ compactAfterMs: 3_600_000 });
    expect(config.warnings).toEqual([]);
  });

  it('lists every fault at once, with what to write instead', () => {
    const faults = faultsOf({
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

  it('names every fault in the message, which is what the operator sees', () => {
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
  ])('never repeats the value of %s', (name, value) => {
    const [fault, ...rest] = faultsOf({ [name]: value });
    expect(rest).toEqual([]);
    expect(fault).toMatch(new RegExp(`^${name}: `));
    expect(fault).not.toContain(value);
    expect(fault).not.toContain('hunter2');
  });

  it('takes blank settings as absent', () => {
    expect(loadConfig({ PORT: ' ', AUTH_JWT_SECRET: '', MODEL: '' }).http.port).toBe(3000);
  });

  it('reads sizes with binary units and times as milliseconds', () => {
    const { limits, heartbeatMs } = loadConfig({
      MAX_MESSAGE_BYTES: '1 MiB',
      MAX_HISTORY_BYTES: '8 MiB',
      RUN_MAX_SECONDS: '60',
      HEARTBEAT_SECONDS: '5',
    });
    expect(limits).toMatchObject({
      maxMessageBytes: 1_048_576,
      maxHistoryBytes: 8_388_608,
      run: { maxMs: 60_000 },
    });
    expect(heartbeatMs).toBe(5000);
  });

  it('reads how long threads are kept in days and how much of them in megabytes', () => {
    const env = { RETENTION_DAYS: '30', RETENTION_MAX_MB: '512', COMPACT_AFTER_MINUTES: '5' };
    expect(loadConfig(env).retention).toEqual({
      compactAfterMs: 300_000,
      maxAgeMs: 2_592_000_000,
      maxBytes: 536_870_912,
    });
    expect(faultsOf({ RETENTION_DAYS: '0' })).toEqual([
      expect.stringMatching(/^RETENTION_DAYS=0: write a whole/),
    ]);
  });

  it('shares a database when it is told which', () => {
    const url = 'postgres://app:hunter2@db/app';
    expect(loadConfig({ DATABASE_URL: url })).toMatchObject({
      storage: { database: { url, poolSize: 10 } },
      roles: ['api', 'worker'],
    });
    const all = {
      DATABASE_URL: url,
      DATABASE_LISTEN_URL: `${url}2`,
      REDIS_URL: 'redis://cache',
      ROLES: 'worker',
    };
    expect(loadConfig(all)).toMatchObject({
      storage: { database: { url, listenUrl: `${url}2` }, redisUrl: 'redis://cache' },
      roles: ['worker'],
    });
  });

  it.each([
    [{ REDIS_URL: 'redis://cache' }, /^REDIS_URL: it has no effect without DATABASE_URL/],
    [
      { DATABASE_LISTEN_URL: 'postgres://db/app' },
      /^DATABASE_LISTEN_URL: it has no effect without DATABASE_URL/,
    ],
    [{ ROLES: 'api' }, /^ROLES=api: set DATABASE_URL/],
    [{ ROLES: 'api,cook' }, /^ROLES=api,cook: write one or more of api, worker/],
    [{ DATABASE_URL: 'mysql://db/app' }, /^DATABASE_URL: write a whole URL, such as postgres:/],
    [
      {
        DATABASE_URL: 'postgres://db/app',
        AUTH_JWKS_URL: 'https://id.example.com/keys',
        AUTH_ISSUER: 'i',
        AUTH_AUDIENCE: 'a',
      },
      /^AUTH_TICKET_SECRET: set it to the same secret on all instances/,
    ],
  ])('refuses what several instances could not work with: %j', (env, fault) => {
    expect(faultsOf(env as unknown as Record<string, string>)).toEqual([expect.stringMatching(fault)]);
  });

  it.each(['CORS_ORIGIN', 'TRUSTPROXY', 'run_max_tokens'])(
    'warns of %s, which is nearly a setting',
    (name) => {
      expect(loadConfig({ [name]: 'x' }).warnings).toEqual([
        expect.stringContaining(`${name} is not a setting. Did you mean`),
      ]);
    },
  );

  it('is silent about what belongs to others', () => {
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

  it('warns that trusting every proxy believes any client', () => {
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
    'refuses the origin %s',
    (origin) => {
      expect(faultsOf({ CORS_ORIGINS: origin })).toEqual([expect.stringContaining('write origins')]);
    },
  );
});

describe('loadConfig with authentication', () => {
  const jwt = { AUTH_JWT_SECRET: SECRET, AUTH_ISSUER: 'https://id.example.com', AUTH_AUDIENCE: 'chat' };

  it.each(['0.0.0.0', '::', '192.168.1.5', 'chat.example.com'])(
    'refuses to listen on %s without it',
    (HOST) => {
      expect(faultsOf({ HOST })).toEqual([
        expect.stringContaining('without authentication it may listen on loopback only'),
      ]);
      expect(loadConfig({ HOST, ...jwt }).http.host).toBe(HOST);
    },
  );

  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('listens on %s without it', (HOST) => {
    expect(loadConfig({ HOST }).http.host).toBe(HOST);
  });

  it('says one thing about one mistake: a malformed secret is not also a missing one', () => {
    expect(faultsOf({ HOST: '0.0.0.0', ...jwt, AUTH_JWT_SECRET: 'short' })).toHaveLength(1);
  });

  it('takes a shared secret or a key set, not both', () => {
    expect(faultsOf({ ...jwt, AUTH_JWKS_URL: 'https://id.example.com/keys' })).toEqual([
      'AUTH_JWT_SECRET: set this or AUTH_JWKS_URL, not both.',
    ]);
  });

  it('wants to know whose tokens, and for whom', () => {
    expect(faultsOf({ AUTH_JWT_SECRET: SECRET })).toEqual([
      expect.stringMatching(/^AUTH_ISSUER: set it/),
      expect.stringMatching(/^AUTH_AUDIENCE: set it/),
    ]);
  });

  it('refuses an issuer that nothing checks, since the check was forgotten', () => {
    expect(faultsOf({ AUTH_ISSUER: 'https://id.example.com' })).toEqual([
      expect.stringContaining('has no effect'),
    ]);
  });

  it('maps each API key to its principal; a user may be an e-mail address', () => {
    const { auth } = loadConfig({
      AUTH_API_KEYS: `${SECRET}:ann@example.com@acme:admin|ops, other-key-0123456789:bot@acme`,
    });
    expect(auth).toMatchObject({
      kind: 'credentials',
      apiKeys: [
        { key: SECRET, userId: 'ann@example.com', tenant: 'acme', roles: ['admin', 'ops'] },
        { key: 'other-key-0123456789', userId: 'bot', tenant: 'acme', roles: [] },
      ],
    });
  });

  it('refuses one key for two principals', () => {
    expect(faultsOf({ AUTH_API_KEYS: `${SECRET}:ann@acme,${SECRET}:bob@acme` })).toEqual([
      'AUTH_API_KEYS: entry 2 repeats a key; give each principal its own.',
    ]);
  });

  it('describes itself without a secret', () => {
    const config = loadConfig({
      ...jwt,
      AUTH_API_KEYS: `${SECRET}:ann@acme`,
      AUTH_TICKET_SECRET: SECRET,
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
  it('sends a key to its own provider only', () => {
    const keys = { OPENAI_API_KEY: 'sk-openai', ANTHROPIC_API_KEY: 'sk-anthropic' };
    expect(loadConfig({ ...keys, MODEL: 'openai:gpt-x' }).model.apiKey).toBe('sk-openai');
    expect(loadConfig({ ...keys, MODEL: 'anthropic:claude-x' }).model.apiKey).toBe('sk-anthropic');
    expect(loadConfig({ ...keys, MODEL: 'ollama:qwen' }).model.apiKey).toBeUndefined();
    expect(loadConfig({ ...keys, MODEL: 'openai:x', MODEL_API_KEY: 'sk-mine' }).model.apiKey).toBe('sk-mine');
  });

  it('wants a key, unless another server is named', () => {
    expect(faultsOf({ MODEL: 'openai:gpt-x' })).toEqual([
      expect.stringMatching(/^OPENAI_API_KEY: .*needs a key/),
    ]);
    expect(
      loadConfig({ MODEL: 'openai:gpt-x', MODEL_BASE_URL: 'http://localhost:8000/v1' }).model.baseUrl,
    ).toBe('http://localhost:8000/v1');
  });

  it('refuses a model or an agent it cannot read', () => {
    expect(faultsOf({ MODEL: 'gpt-4', AGENTS: 'support' })).toEqual([
      expect.stringMatching(/^MODEL/),
      expect.stringMatching(/^AGENTS/),
    ]);
    expect(loadConfig({ AGENTS: 'support=./a.js#graph' }).agents).toEqual([
      { name: 'support', reference: './a.js#graph' },
    ]);
  });

  it('warns when a model server is named and the demo model answers', () => {
    expect(loadConfig({ MODEL_BASE_URL: 'http://localhost:8000' }).warnings).toEqual([
      expect.stringContaining('demo'),
    ]);
  });
});

describe('loadConfig with files', () => {
  const directory = mkdtempSync(join(tmpdir(), 'config-'));

  it('wants both TLS files', () => {
    expect(faultsOf({ TLS_KEY_FILE: 'key.pem' })).toEqual([expect.stringContaining('set both')]);
  });

  it('tries the TLS files out at boot', () => {
    const file = join(directory, 'not.pem');
    writeFileSync(file, 'not a certificate');
    expect(faultsOf({ TLS_CERT_FILE: file, TLS_KEY_FILE: file })).toEqual([
      expect.stringContaining('cannot be read'),
    ]);
    expect(faultsOf({ TLS_CERT_FILE: join(directory, 'none'), TLS_KEY_FILE: file })).toEqual([
      expect.stringContaining('(ENOENT)'),
    ]);
  });

  it('refuses a knowledge folder that is not there', () => {
    expect(faultsOf({ KNOWLEDGE_DIR: join(directory, 'none') })).toEqual([
      expect.stringContaining('no such directory'),
    ]);
    expect(loadConfig({ KNOWLEDGE_DIR: directory }).tools.knowledgeDir).toBe(directory);
  });
});

describe('the documentation of the settings', () => {
  const root = new URL('../../', import.meta.url);
  const namesIn = (path: string, pattern: RegExp) =>
    [...readFileSync(new URL(path, root), 'utf8').matchAll(pattern)].map(([, name]) => name);

  it('lists in .env.example exactly the settings there are', () => {
    expect(namesIn('.env.example', /^#?([A-Z][A-Z0-9_]+)=/gm)).toEqual(SETTING_NAMES);
  });

  it('lists in docs/reference/configuration.md exactly the settings there are', () => {
    expect(namesIn('docs/reference/configuration.md', /^\| `([A-Z][A-Z0-9_]+)` \|/gm)).toEqual(SETTING_NAMES);
  });
});
