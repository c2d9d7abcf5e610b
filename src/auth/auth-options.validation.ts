import {
  KEY_SET_ALGORITHMS,
  SHARED_SECRET_ALGORITHMS,
  ticketSecrets,
  type ApiKeyOptions,
  type AuthOptions,
  type CredentialsAuthOptions,
  type JwtOptions,
  type OidcOptions,
} from './auth.options.js';
import { isInstalled } from '../optional-packages.js';
import { isLoopbackHost } from './origin.js';

const SECRET_LENGTH = 32;
const API_KEY_LENGTH = 16;

/** Returns everything that is wrong with the options, one sentence each with its remedy; empty if they are usable. Never shows a secret. */
export function validateAuthOptions(options: AuthOptions): string[] {
  const errors = [...validateTicketSecrets(options), ...validatePositive('ticketTtlMs', options.ticketTtlMs)];
  switch (options.kind) {
    case 'local':
      return [...errors, ...validateOrigins(options.allowedOrigins)];
    case 'host':
      if (typeof options.getPrincipal !== 'function')
        errors.push(
          "auth.getPrincipal is absent. Kind 'host' needs a function that returns the principal of a request.",
        );
      return errors;
    case 'credentials':
      if (!options.jwt && !options.apiKeys?.length && !options.oidc)
        errors.push(
          "auth of kind 'credentials' needs jwt, apiKeys or oidc. Without them, no caller can sign in.",
        );
      return [
        ...errors,
        ...validateJwt(options.jwt),
        ...validateApiKeys(options.apiKeys ?? []),
        ...validateOidc(options.oidc),
        ...validatePositive('sessionTtlMs', options.sessionTtlMs),
        ...validateOrigins(options.allowedOrigins),
      ];
    default:
      options satisfies never;
      return ["auth.kind must be 'local', 'credentials' or 'host'."];
  }
}

function validateTicketSecrets(options: AuthOptions): string[] {
  const secrets = ticketSecrets(options);
  const otherSecrets = options.kind === 'credentials' ? sharedSecrets(options) : [];
  return [
    ...secrets.flatMap((secret, at) =>
      validateLength(at === 0 ? 'ticketSecret' : `ticketSecret[${at}]`, secret),
    ),
    ...(secrets.some((secret) => otherSecrets.includes(secret))
      ? [
          'auth.ticketSecret is also a JWT secret or an API key, so its holder could sign in as any user. Use another secret, or leave it out.',
        ]
      : []),
  ];
}

function sharedSecrets({ jwt, apiKeys = [] }: CredentialsAuthOptions): string[] {
  return [...(jwt?.secret === undefined ? [] : [jwt.secret]), ...apiKeys.map(({ key }) => key)];
}

function validateJwt(jwt: JwtOptions | undefined): string[] {
  if (!jwt) return [];
  if ((jwt.secret === undefined) === (jwt.jwksUrl === undefined))
    return [
      'auth.jwt needs either secret or jwksUrl, not both. The kind of key decides which algorithms are accepted.',
    ];
  const usable = jwt.secret === undefined ? KEY_SET_ALGORITHMS : SHARED_SECRET_ALGORITHMS;
  const unusable = (jwt.algorithms ?? []).filter((algorithm) => !usable.includes(algorithm));
  const errors = validateLength('jwt.secret', jwt.secret);
  if (jwt.algorithms?.length === 0)
    errors.push('auth.jwt.algorithms is empty. Name an algorithm, or leave it out.');
  if (unusable.length > 0)
    errors.push(
      `auth.jwt.algorithms: ${unusable.join(', ')} cannot be used with ${jwt.secret === undefined ? 'a key set' : 'a secret'}. Use ${usable.join(', ')}.`,
    );
  if (jwt.jwksUrl !== undefined && !isTrustworthy(jwt.jwksUrl))
    errors.push(
      'auth.jwt.jwksUrl must be an https URL (http only on loopback). Over http, others could replace the keys.',
    );
  return errors;
}

/** Issuers of Entra that speak for every tenant. */
const MANY_TENANTS = /^https:\/\/login\.microsoftonline\.[a-z]+\/(?:common|organizations|consumers)(?:\/|$)/;

function validateOidc(oidc: OidcOptions | undefined): string[] {
  if (!oidc) return [];
  const errors: string[] = [];
  if (!isInstalled('openid-client'))
    errors.push('auth.oidc needs a package that is not installed: npm i openid-client');
  if (!oidc.clientId)
    errors.push('auth.oidc.clientId is absent. Set it to the name of this server at the provider.');
  if (MANY_TENANTS.test(oidc.issuer))
    errors.push(
      'auth.oidc.issuer is that of all tenants, and would let in everybody with an account there. Name your own tenant.',
    );
  for (const name of ['issuer', 'redirectUri', 'homeUrl'] as const) {
    const url = oidc[name];
    if (url === undefined && name === 'homeUrl') continue;
    if (url === undefined || !isTrustworthy(url))
      errors.push(
        `auth.oidc.${name} must be an https URL (http only on loopback). Over http, others could sign in as the people who use it.`,
      );
  }
  return errors;
}

function validateApiKeys(keys: readonly ApiKeyOptions[]): string[] {
  const errors = keys.flatMap((entry, at) => {
    const name = `apiKeys[${at}]`;
    const short = validateLength(`${name}.key`, entry.key, API_KEY_LENGTH);
    return entry.userId && entry.tenant ? short : [...short, `auth.${name} needs a userId and a tenant.`];
  });
  if (new Set(keys.map((entry) => entry.key)).size < keys.length)
    errors.push('auth.apiKeys has the same key twice. Give each principal a key of its own.');
  return errors;
}

function validateOrigins(origins: readonly string[] = []): string[] {
  return origins
    .filter((origin) => !URL.canParse(origin) || new URL(origin).origin !== origin)
    .map(
      (origin) =>
        `auth.allowedOrigins: '${origin}' is not an origin. Write scheme, host and port only: https://app.example.com`,
    );
}

function validateLength(name: string, secret: string | undefined, length = SECRET_LENGTH): string[] {
  if (secret === undefined || secret.length >= length) return [];
  return [`auth.${name} is too short. It needs at least ${length} characters.`];
}

function validatePositive(name: string, value: number | undefined): string[] {
  return value === undefined || (Number.isFinite(value) && value > 0)
    ? []
    : [`auth.${name} must be a number of milliseconds above 0.`];
}

function isTrustworthy(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.host));
}
