import { createHash } from 'node:crypto';
import type { ApiKeyOptions, AuthOptions, JwtOptions, OidcOptions } from './auth.options.js';

/**
 * A text that stands for what somebody proved themselves with: an API key and what it may do, or the rules by which a token was
 * believed. Sessions and tickets carry its fingerprint, and end when no setting gives the same text any more. It never leaves
 * the process as it is.
 */
export type CredentialSource = string;

export const LOCAL_SOURCE: CredentialSource = 'local';
export const HOST_SOURCE: CredentialSource = 'host';

export function apiKeySource({ key, userId, tenant, roles = [] }: ApiKeyOptions): CredentialSource {
  return `api-key ${digest([key, userId, tenant, roles.toSorted()])}`;
}

export function jwtSource(options: JwtOptions): CredentialSource {
  const { secret, jwksUrl, issuer, audience, algorithms, claims, defaultTenant } = options;
  const rules = [
    secret,
    jwksUrl,
    issuer,
    audience,
    algorithms,
    claims?.userId,
    claims?.tenant,
    claims?.roles,
  ];
  return `jwt ${digest([...rules, defaultTenant])}`;
}

export function oidcSource({ issuer, clientId, claims, defaultTenant }: OidcOptions): CredentialSource {
  const rules = [issuer, clientId, claims?.userId, claims?.tenant, claims?.roles, defaultTenant];
  return `oidc ${digest(rules)}`;
}

/** Returns the sources that the settings allow now. */
export function currentSources(options: AuthOptions): readonly CredentialSource[] {
  switch (options.kind) {
    case 'local':
      return [LOCAL_SOURCE];
    case 'host':
      return [HOST_SOURCE];
    case 'credentials':
      return [
        ...(options.jwt ? [jwtSource(options.jwt)] : []),
        ...(options.oidc ? [oidcSource(options.oidc)] : []),
        ...(options.apiKeys ?? []).map(apiKeySource),
      ];
  }
}

function digest(facts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('base64url');
}
