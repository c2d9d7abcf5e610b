import { parseModels } from '../../agents/langgraph/model.factory.js';
import type { JwtOptions, OidcOptions } from '../../auth/auth.options.js';
import type { ChatConfig, Config } from '../config.js';
import { readLangGraphJson } from '../langgraph-json.js';
import { readLogoFile } from '../logo-file.js';
import { orderAgents, ownAgents } from '../own-agents.js';
import { readPricesFile } from '../prices-file.js';
import { SESSION_PATH } from '../session-path.js';
import { readTls } from '../tls.js';
import type { PartialSetting, Setting } from './setting.js';
import { describeSetting, SETTING_NAMES, type Settings } from './settings.js';

/** Puts each setting where its option is, and those together that are parts of one. */
export function joinSettings(settings: Settings, warnings: readonly string[]): Config {
  const config = {};
  for (const name of SETTING_NAMES) {
    const setting = describeSetting(name);
    if (!isPart(setting)) put(config, setting.option, settings[name]);
  }
  const { agents, notes, store, ...others } = joinAgents(settings);
  put(config, 'agents', agents);
  put(config, 'agentNames', others.agentNames);
  put(config, 'graphEnv', others.graphEnv);
  put(config, 'chat.store.ttlMs', settings.STORE_TTL_MINUTES ?? store?.ttlMs);
  put(config, 'chat.store.refreshOnRead', store?.refreshOnRead);
  const apiKey = settings.OPENAI_API_KEY ?? others.graphEnv['OPENAI_API_KEY'];
  put(config, 'storeIndex', store?.index && { ...store.index, ...(apiKey && { apiKey }) });
  put(config, 'http.tls', joinTls(settings));
  put(config, 'chat.auth', joinAuth(settings));
  put(config, 'chat.brand.logo', settings.BRAND_LOGO && readLogoFile(settings.BRAND_LOGO));
  put(config, 'chat.prices', settings.PRICES_FILE && readPricesFile(settings.PRICES_FILE));
  put(config, 'chat.tainted.knownHosts', joinKnownHosts(settings));
  const [model, ...fallbacks] = parseModels(settings.MODEL).map((name) => joinModel(name, settings));
  put(config, 'model.name', model?.name);
  put(config, 'model.apiKey', model?.apiKey);
  put(config, 'model.fallbacks', fallbacks);
  return { ...config, warnings: [...warnings, ...notes] } as unknown as Config;
}

function isPart(setting: Setting | PartialSetting): boolean {
  return 'isPart' in setting;
}

/** Writes a value to a path. What is not set stays absent, so that it replaces no default. */
function put(target: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop()!;
  const home = keys.reduce((place, key) => (place[key] ??= {}) as Record<string, unknown>, target);
  if (value !== undefined) home[last] = value;
}

function joinAgents(settings: Settings) {
  const { LANGGRAPH_JSON, MODEL: model, DEFAULT_AGENT: defaultAgent } = settings;
  const project = LANGGRAPH_JSON === undefined ? undefined : readLangGraphJson(LANGGRAPH_JSON);
  const agents = ownAgents(settings);
  return {
    agents,
    agentNames: orderAgents({ own: agents.map(({ name }) => name), model, defaultAgent }),
    graphEnv: project?.env ?? {},
    store: project?.store,
    notes: project?.notes ?? [],
  };
}

function joinTls({ TLS_CERT_FILE, TLS_KEY_FILE }: Settings): Config['http']['tls'] {
  return TLS_CERT_FILE && TLS_KEY_FILE ? readTls(TLS_CERT_FILE, TLS_KEY_FILE).tls : undefined;
}

function joinAuth(settings: Settings): ChatConfig['auth'] {
  const ticketSecret = settings.AUTH_TICKET_SECRET;
  const shared = {
    allowedOrigins: settings.CORS_ORIGINS,
    ticketTtlMs: settings.AUTH_TICKET_MINUTES,
    ...(ticketSecret && { ticketSecret }),
  };
  const jwt = joinJwt(settings);
  const oidc = joinOidc(settings);
  const apiKeys = settings.AUTH_API_KEYS;
  const operatorRoles = settings.AUTH_OPERATOR_ROLES;
  return jwt || oidc || apiKeys
    ? { kind: 'credentials', jwt, ...(oidc && { oidc }), apiKeys, operatorRoles, ...shared }
    : { kind: 'local', ...shared };
}

function joinOidc(settings: Settings): OidcOptions | undefined {
  const { AUTH_OIDC_ISSUER: issuer, AUTH_OIDC_CLIENT_ID: clientId, PUBLIC_URL } = settings;
  if (!issuer || !clientId || !PUBLIC_URL) return undefined;
  const homeUrl = `${PUBLIC_URL.replace(/\/+$/, '')}/`;
  const clientSecret = settings.AUTH_OIDC_CLIENT_SECRET;
  return {
    issuer,
    clientId,
    ...(clientSecret !== undefined && { clientSecret }),
    scopes: settings.AUTH_OIDC_SCOPES,
    redirectUri: `${homeUrl}${SESSION_PATH}/oidc/callback`,
    homeUrl,
    claims: joinClaims(settings),
  };
}

function joinClaims(settings: Settings): JwtOptions['claims'] {
  return {
    userId: settings.AUTH_USER_CLAIM,
    tenant: settings.AUTH_TENANT_CLAIM,
    roles: settings.AUTH_ROLES_CLAIM,
  };
}

function joinJwt(settings: Settings): JwtOptions | undefined {
  const { AUTH_JWT_SECRET: secret, AUTH_JWKS_URL: jwksUrl } = settings;
  const rules = {
    issuer: settings.AUTH_ISSUER,
    audience: settings.AUTH_AUDIENCE,
    claims: joinClaims(settings),
  };
  if (secret) return { ...rules, secret };
  return jwksUrl ? { ...rules, jwksUrl } : undefined;
}

/** Hosts that http fetch may reach by name, without their ports: the operator has named them. */
function joinKnownHosts({ FETCH_ALLOWED_HOSTS = [], FETCH_PRIVATE_HOSTS = [] }: Settings): string[] {
  return [...FETCH_ALLOWED_HOSTS, ...FETCH_PRIVATE_HOSTS.map((host) => host.replace(/:\d+$/, ''))];
}

/** A key goes to its own provider only. */
function joinModel(name: string, settings: Settings): Config['model']['fallbacks'][number] {
  const { MODEL_API_KEY, OPENAI_API_KEY, ANTHROPIC_API_KEY } = settings;
  const own = name.startsWith('openai:')
    ? OPENAI_API_KEY
    : name.startsWith('anthropic:')
      ? ANTHROPIC_API_KEY
      : undefined;
  const apiKey = MODEL_API_KEY ?? own;
  return { name, ...(apiKey !== undefined && { apiKey }) };
}
