import type { Config } from './config.js';

/** The features that are on, for the first line of the log and for the person who started the app. Holds no secret, and no URL that may. */
export interface ConfigSummary {
  readonly model: string;
  readonly agents: readonly string[];
  readonly auth: string;
  /** The storage of runs: the directory, or the servers. */
  readonly storage: string;
  readonly roles: readonly string[];
  readonly tls: boolean;
  readonly corsOrigins: readonly string[];
}

export function describeConfig(config: Config): ConfigSummary {
  return {
    model: [config.model, ...config.model.fallbacks].map(({ name }) => name).join(', '),
    agents: config.agentNames,
    auth: describeAuth(config.chat.auth),
    storage: describeStorage(config.storage),
    roles: config.roles,
    tls: config.http.tls !== undefined,
    corsOrigins: config.http.corsOrigins,
  };
}

function describeStorage({ sqlite, postgres, redisUrl }: Config['storage']): string {
  if (postgres.url === undefined) return sqlite.directory;
  return redisUrl ? 'PostgreSQL, hints over Redis' : 'PostgreSQL';
}

function describeAuth(auth: Config['chat']['auth']): string {
  if (auth.kind === 'local') return 'none';
  const kinds = [
    auth.jwt && `JWT (${auth.jwt.secret === undefined ? 'JWKS' : 'shared secret'})`,
    auth.oidc && 'OpenID provider',
    auth.apiKeys && `API keys (${auth.apiKeys.length})`,
  ];
  return kinds.filter((kind) => kind !== undefined).join(' and ');
}
