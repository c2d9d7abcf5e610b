import { resolve } from 'node:path';
import type { AgentReference } from '../agents/langgraph/graph.loader.js';
import type { CredentialsAuthOptions, JwtOptions, LocalAuthOptions } from '../auth/auth.options.js';
import { AppError } from '../errors.js';
import { SECRET_SETTINGS, SETTING_NAMES, SETTINGS, type SettingName, type Settings } from './settings.js';
import { RULES, warningsAbout } from './settings.rules.js';
import { findTypos } from './settings.typos.js';
import { readTls, type Tls } from './tls.js';

/** What the standalone app is told. Times are milliseconds, sizes are bytes, paths are absolute. */
export interface Config {
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly tls?: Tls;
    /** Express's `trust proxy`. */
    readonly trustProxy: boolean | number | readonly string[];
    readonly keepAliveMs: number;
    /** The web origins, beside its own, that may call it. */
    readonly corsOrigins: readonly string[];
  };
  /** How callers prove who they are; `local` when no setting says so. */
  readonly auth: LocalAuthOptions | CredentialsAuthOptions;
  readonly model: {
    /** `demo`, or `provider:model`. */
    readonly name: string;
    readonly baseUrl?: string;
    readonly apiKey?: string;
    readonly timeoutMs: number;
    readonly demoPaceMs: number;
  };
  readonly agents: readonly AgentReference[];
  readonly tools: {
    readonly tavilyApiKey?: string;
    readonly tavilyUrl?: string;
    readonly searxngUrl?: string;
    /** Absent: the data set that comes with the product. */
    readonly lookupDatabaseUrl?: string;
    /** Absent: this project's own documentation. */
    readonly knowledgeDir?: string;
    /** Absent: every public host. */
    readonly fetchAllowedHosts?: readonly string[];
  };
  readonly storage: {
    readonly dataDir: string;
    /** Absent: the embedded database in `dataDir`. */
    readonly database?: { readonly url: string; readonly listenUrl?: string; readonly poolSize: number };
    readonly redisUrl?: string;
    readonly synchronous: 'normal' | 'full';
  };
  /** What this process does: answers requests, works on runs, or both. */
  readonly roles: Settings['ROLES'];
  readonly retention: {
    readonly compactAfterMs: number;
    /** Absent: threads are kept for ever. */
    readonly maxAgeMs?: number;
    /** Absent: no limit. */
    readonly maxBytes?: number;
  };
  readonly limits: {
    readonly maxMessageBytes: number;
    readonly maxHistoryBytes: number;
    readonly startsPerMinute: number;
    readonly maxOpenStreams: number;
    readonly maxConcurrentRuns: number;
    readonly threadBusy: 'reject' | 'queue';
    readonly approvals: {
      readonly tools: readonly string[];
      readonly expiresInMs: number;
      readonly whenMessaged: 'deny' | 'reject';
    };
    readonly run: {
      readonly maxMs: number;
      readonly maxModelCalls: number;
      readonly maxToolCalls: number;
      readonly maxTokens: number;
      readonly maxLogBytes: number;
    };
  };
  readonly heartbeatMs: number;
  readonly drainMs: number;
  readonly logging: {
    readonly level: Settings['LOG_LEVEL'];
    /** Whether what people ask is logged. */
    readonly prompts: boolean;
  };
  /** What is allowed and probably not meant; for the log, once. */
  readonly warnings: readonly string[];
}

/** A line of the fault list: `PORT=abc: write a whole number from 0 to 65535`. */
type Fault = string;

/**
 * Reads and checks all settings. The only place that reads the environment.
 *
 * @throws AppError `CONFIG_INVALID` that lists every fault at once; `details.faults` has them one by one
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const { settings, malformed, faults } = readEach(env);
  for (const rule of RULES) {
    if (rule.about.some((name) => malformed.has(name))) continue;
    const remedy = rule.fault(settings);
    if (remedy !== undefined) faults.push(faultLine(rule.about[0], env, remedy));
  }
  if (faults.length > 0) {
    const lines = faults.map((fault) => `  ${fault}`).join('\n');
    throw new AppError('CONFIG_INVALID', `The settings are not usable:\n${lines}`, { details: { faults } });
  }
  return toConfig(settings, [...findTypos(Object.keys(env)), ...warningsAbout(settings)]);
}

/** Each setting by itself. A blank one counts as absent, as Compose files and CI forms write them. */
function readEach(env: Readonly<Record<string, string | undefined>>) {
  const settings: Partial<Record<SettingName, unknown>> = {};
  const malformed = new Set<SettingName>();
  const faults: Fault[] = [];
  for (const name of SETTING_NAMES) {
    const result = SETTINGS[name].safeParse(env[name]?.trim() || undefined);
    if (result.success) {
      settings[name] = result.data;
    } else {
      malformed.add(name);
      faults.push(...result.error.issues.map((issue) => faultLine(name, env, issue.message)));
    }
  }
  // What is malformed is absent here; rules about it are skipped, and then loadConfig throws.
  return { settings: settings as Settings, malformed, faults };
}

function faultLine(
  name: SettingName,
  env: Readonly<Record<string, string | undefined>>,
  remedy: string,
): Fault {
  const value = env[name]?.trim();
  const shown = value && !SECRET_SETTINGS.has(name) ? `${name}=${value}` : name;
  return `${shown}: ${remedy.replace(/\.$/, '')}.`;
}

function toConfig(settings: Settings, warnings: readonly string[]): Config {
  return {
    http: {
      host: settings.HOST,
      port: settings.PORT,
      tls:
        settings.TLS_CERT_FILE && settings.TLS_KEY_FILE
          ? readTls(settings.TLS_CERT_FILE, settings.TLS_KEY_FILE).tls
          : undefined,
      trustProxy: settings.TRUST_PROXY,
      keepAliveMs: settings.KEEP_ALIVE_SECONDS * 1000,
      corsOrigins: settings.CORS_ORIGINS,
    },
    auth: toAuth(settings),
    model: {
      name: settings.MODEL,
      baseUrl: settings.MODEL_BASE_URL,
      apiKey: settings.MODEL_API_KEY ?? providerKey(settings),
      timeoutMs: settings.MODEL_TIMEOUT_SECONDS * 1000,
      demoPaceMs: settings.DEMO_PACE_MS,
    },
    agents: settings.AGENTS,
    tools: {
      tavilyApiKey: settings.TAVILY_API_KEY,
      tavilyUrl: settings.TAVILY_URL,
      searxngUrl: settings.SEARXNG_URL,
      lookupDatabaseUrl: settings.LOOKUP_DATABASE_URL,
      knowledgeDir: settings.KNOWLEDGE_DIR && resolve(settings.KNOWLEDGE_DIR),
      fetchAllowedHosts: settings.FETCH_ALLOWED_HOSTS,
    },
    storage: toStorage(settings),
    roles: settings.ROLES,
    retention: {
      compactAfterMs: settings.COMPACT_AFTER_MINUTES * 60_000,
      maxAgeMs: settings.RETENTION_DAYS && settings.RETENTION_DAYS * 86_400_000,
      maxBytes: settings.RETENTION_MAX_MB && settings.RETENTION_MAX_MB * 1024 ** 2,
    },
    limits: {
      maxMessageBytes: settings.MAX_MESSAGE_BYTES,
      maxHistoryBytes: settings.MAX_HISTORY_BYTES,
      startsPerMinute: settings.STARTS_PER_MINUTE,
      maxOpenStreams: settings.MAX_OPEN_STREAMS,
      maxConcurrentRuns: settings.MAX_CONCURRENT_RUNS,
      threadBusy: settings.THREAD_BUSY,
      approvals: {
        tools: settings.APPROVAL_TOOLS,
        expiresInMs: settings.APPROVAL_HOURS * 3_600_000,
        whenMessaged: settings.THREAD_AWAITING,
      },
      run: {
        maxMs: settings.RUN_MAX_SECONDS * 1000,
        maxModelCalls: settings.RUN_MAX_MODEL_CALLS,
        maxToolCalls: settings.RUN_MAX_TOOL_CALLS,
        maxTokens: settings.RUN_MAX_TOKENS,
        maxLogBytes: settings.RUN_MAX_LOG_BYTES,
      },
    },
    heartbeatMs: settings.HEARTBEAT_SECONDS * 1000,
    drainMs: settings.DRAIN_SECONDS * 1000,
    logging: { level: settings.LOG_LEVEL, prompts: settings.LOG_PROMPTS },
    warnings,
  };
}

function toStorage(settings: Settings): Config['storage'] {
  const { DATABASE_URL: url, DATABASE_LISTEN_URL: listenUrl, REDIS_URL: redisUrl } = settings;
  return {
    dataDir: resolve(settings.DATA_DIR),
    synchronous: settings.SQLITE_SYNCHRONOUS,
    ...(url && { database: { url, poolSize: settings.DATABASE_POOL_SIZE, ...(listenUrl && { listenUrl }) } }),
    ...(redisUrl && { redisUrl }),
  };
}

function toAuth(settings: Settings): Config['auth'] {
  const shared = { allowedOrigins: settings.CORS_ORIGINS, ticketSecret: settings.AUTH_TICKET_SECRET };
  const jwt = toJwt(settings);
  const apiKeys = settings.AUTH_API_KEYS;
  return jwt || apiKeys ? { kind: 'credentials', jwt, apiKeys, ...shared } : { kind: 'local', ...shared };
}

function toJwt(settings: Settings): JwtOptions | undefined {
  const { AUTH_JWT_SECRET: secret, AUTH_JWKS_URL: jwksUrl } = settings;
  const rules = {
    issuer: settings.AUTH_ISSUER,
    audience: settings.AUTH_AUDIENCE,
    claims: { tenant: settings.AUTH_TENANT_CLAIM, roles: settings.AUTH_ROLES_CLAIM },
  };
  if (secret) return { ...rules, secret };
  return jwksUrl ? { ...rules, jwksUrl } : undefined;
}

/** A key goes to its own provider only. */
function providerKey(settings: Settings): string | undefined {
  if (settings.MODEL.startsWith('openai:')) return settings.OPENAI_API_KEY;
  if (settings.MODEL.startsWith('anthropic:')) return settings.ANTHROPIC_API_KEY;
  return undefined;
}
