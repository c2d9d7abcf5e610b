import type { Config } from './config.js';

/** What is on, for the first line of the log and for the person who started it. Holds no secret, and no URL that may. */
export interface ConfigSummary {
  readonly model: string;
  readonly agents: readonly string[];
  readonly auth: string;
  /** Where runs are kept: the directory, or which servers. */
  readonly storage: string;
  readonly roles: readonly string[];
  readonly tls: boolean;
  readonly corsOrigins: readonly string[];
}

export function describeConfig(config: Config): ConfigSummary {
  return {
    model: config.model.name,
    agents: config.agents.map(({ name }) => name),
    auth: describeAuth(config.auth),
    storage: describeStorage(config.storage),
    roles: config.roles,
    tls: config.http.tls !== undefined,
    corsOrigins: config.http.corsOrigins,
  };
}

function describeStorage({ dataDir, database, redisUrl }: Config['storage']): string {
  if (!database) return dataDir;
  return redisUrl ? 'PostgreSQL, hints over Redis' : 'PostgreSQL';
}

function describeAuth(auth: Config['auth']): string {
  if (auth.kind === 'local') return 'none';
  const kinds = [
    auth.jwt && `JWT (${auth.jwt.secret === undefined ? 'JWKS' : 'shared secret'})`,
    auth.apiKeys && `API keys (${auth.apiKeys.length})`,
  ];
  return kinds.filter((kind) => kind !== undefined).join(' and ');
}
