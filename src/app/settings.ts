import type { z } from 'zod';
import { parseAgents } from '../agents/langgraph/graph.loader.js';
import { parseModel } from '../agents/langgraph/model.factory.js';
import { apiKeys } from './settings.api-keys.js';
import {
  boolean,
  bytes,
  hostNames,
  integer,
  names,
  keySetUrl,
  oneOf,
  secret,
  serverUrl,
  setting,
  someOf,
  text,
  trustedProxies,
  webOrigins,
  webUrl,
} from './settings.parsers.js';

/**
 * Every setting of the standalone app, by the name it has in the environment. `docs/reference/configuration.md` says what
 * each does; a spec keeps that page, `.env.example` and this table equal.
 */
export const SETTINGS = {
  // where it listens
  PORT: integer(0, 65_535).default(3000),
  HOST: text().default('127.0.0.1'),
  TLS_CERT_FILE: text().optional(),
  TLS_KEY_FILE: text().optional(),
  TRUST_PROXY: trustedProxies().default(false),
  KEEP_ALIVE_SECONDS: integer(1, 3600).default(75),
  CORS_ORIGINS: webOrigins().default([]),

  // who may use it
  AUTH_JWT_SECRET: secret(32).optional(),
  AUTH_JWKS_URL: keySetUrl().optional(),
  AUTH_ISSUER: text().optional(),
  AUTH_AUDIENCE: text().optional(),
  AUTH_TENANT_CLAIM: text().default('tenant'),
  AUTH_ROLES_CLAIM: text().default('roles'),
  AUTH_API_KEYS: apiKeys().optional(),
  AUTH_TICKET_SECRET: secret(32).optional(),

  // which agent and model answer
  MODEL: setting(modelName).default('demo'),
  MODEL_BASE_URL: webUrl().optional(),
  MODEL_API_KEY: text().optional(),
  OPENAI_API_KEY: text().optional(),
  ANTHROPIC_API_KEY: text().optional(),
  MODEL_TIMEOUT_SECONDS: integer(1, 3600).default(120),
  DEMO_PACE_MS: integer(0, 10_000).default(28),
  AGENTS: setting(parseAgents).default([]),

  // what its tools reach
  TAVILY_API_KEY: text().optional(),
  TAVILY_URL: webUrl().optional(),
  SEARXNG_URL: webUrl().optional(),
  LOOKUP_DATABASE_URL: text().optional(),
  KNOWLEDGE_DIR: text().optional(),
  FETCH_ALLOWED_HOSTS: hostNames().optional(),

  // where runs are kept
  DATA_DIR: text().default('./data'),
  SQLITE_SYNCHRONOUS: oneOf('normal', 'full').default('normal'),
  COMPACT_AFTER_MINUTES: integer(0, 525_600).default(60),
  RETENTION_DAYS: integer(1, 36_500).optional(),
  RETENTION_MAX_MB: integer(1, 100_000_000).optional(),
  DATABASE_URL: serverUrl('postgres', 'postgresql').optional(),
  DATABASE_LISTEN_URL: serverUrl('postgres', 'postgresql').optional(),
  DATABASE_POOL_SIZE: integer(2, 1_000).default(10),
  REDIS_URL: serverUrl('redis', 'rediss').optional(),
  ROLES: someOf('api', 'worker').default(['api', 'worker']),

  // how much of it
  MAX_MESSAGE_BYTES: bytes(1024).default(256 * 1024),
  MAX_HISTORY_BYTES: bytes(1024).default(4 * 1024 ** 2),
  STARTS_PER_MINUTE: integer(1, 100_000).default(60),
  MAX_OPEN_STREAMS: integer(1, 100_000).default(20),
  MAX_CONCURRENT_RUNS: integer(1, 100_000).default(50),
  THREAD_BUSY: oneOf('reject', 'queue').default('reject'),
  APPROVAL_TOOLS: names().default([]),
  APPROVAL_HOURS: integer(1, 87_600).default(168),
  THREAD_AWAITING: oneOf('deny', 'reject').default('deny'),
  RUN_MAX_SECONDS: integer(1, 86_400).default(900),
  RUN_MAX_MODEL_CALLS: integer(1, 100_000).default(50),
  RUN_MAX_TOOL_CALLS: integer(0, 100_000).default(100),
  RUN_MAX_TOKENS: integer(1, 1_000_000_000).default(500_000),
  RUN_MAX_LOG_BYTES: bytes(64 * 1024).default(16 * 1024 ** 2),

  // how streams live and end
  HEARTBEAT_SECONDS: integer(1, 60).default(10),
  DRAIN_SECONDS: integer(0, 600).default(10),

  // what it writes about itself
  LOG_LEVEL: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent').default('info'),
  LOG_PROMPTS: boolean().default(false),
} satisfies Record<string, z.ZodType<unknown, string | undefined>>;

function modelName(value: string): string {
  parseModel(value);
  return value;
}

export type SettingName = keyof typeof SETTINGS;

/** What the settings mean once each has been read by itself. */
export type Settings = { readonly [Name in SettingName]: z.output<(typeof SETTINGS)[Name]> };

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

/** Their values are never repeated in a message or a log: keys, and URLs, which may carry a password. */
export const SECRET_SETTINGS: ReadonlySet<SettingName> = new Set<SettingName>([
  'AUTH_JWT_SECRET',
  'AUTH_JWKS_URL',
  'AUTH_API_KEYS',
  'AUTH_TICKET_SECRET',
  'MODEL_BASE_URL',
  'MODEL_API_KEY',
  'OPENAI_API_KEY',
  'ANTHROPIC_API_KEY',
  'TAVILY_API_KEY',
  'TAVILY_URL',
  'SEARXNG_URL',
  'LOOKUP_DATABASE_URL',
  'DATABASE_URL',
  'DATABASE_LISTEN_URL',
  'REDIS_URL',
]);
