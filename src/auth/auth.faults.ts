import {
  KEY_SET_ALGORITHMS,
  SHARED_SECRET_ALGORITHMS,
  type ApiKeyOptions,
  type AuthOptions,
  type JwtOptions,
} from './auth.options.js';
import { isLoopbackHost } from './origin.js';

const SECRET_LENGTH = 32;
const API_KEY_LENGTH = 16;

/** What is wrong with the settings, all of it, one sentence each with its remedy; empty when they are usable. Never shows a secret. */
export function faultsOf(options: AuthOptions): string[] {
  const faults = [
    ...tooShort('ticketSecret', options.ticketSecret),
    ...notPositive('ticketTtlMs', options.ticketTtlMs),
  ];
  switch (options.kind) {
    case 'local':
      return [...faults, ...originFaults(options.allowedOrigins)];
    case 'host':
      if (typeof options.principalOf !== 'function')
        faults.push(
          "auth.principalOf is absent: give kind 'host' a function from the request to its principal.",
        );
      return faults;
    case 'credentials':
      if (!options.jwt && !options.apiKeys?.length)
        faults.push("auth of kind 'credentials' needs jwt or apiKeys: without either nobody could get in.");
      return [
        ...faults,
        ...jwtFaults(options.jwt),
        ...apiKeyFaults(options.apiKeys ?? []),
        ...notPositive('sessionTtlMs', options.sessionTtlMs),
        ...originFaults(options.allowedOrigins),
      ];
    default:
      options satisfies never;
      return ["auth.kind must be 'local', 'credentials' or 'host'."];
  }
}

function jwtFaults(jwt: JwtOptions | undefined): string[] {
  if (!jwt) return [];
  if ((jwt.secret === undefined) === (jwt.jwksUrl === undefined))
    return [
      'auth.jwt needs either secret or jwksUrl, not both: the key decides which algorithms are believed.',
    ];
  const usable = jwt.secret === undefined ? KEY_SET_ALGORITHMS : SHARED_SECRET_ALGORITHMS;
  const unusable = (jwt.algorithms ?? []).filter((algorithm) => !usable.includes(algorithm));
  const faults = tooShort('jwt.secret', jwt.secret);
  if (jwt.algorithms?.length === 0) faults.push('auth.jwt.algorithms is empty: name one or leave it out.');
  if (unusable.length > 0)
    faults.push(
      `auth.jwt.algorithms: ${unusable.join(', ')} cannot be used with ${jwt.secret === undefined ? 'a key set' : 'a secret'}. Use ${usable.join(', ')}.`,
    );
  if (jwt.jwksUrl !== undefined && !isTrustworthy(jwt.jwksUrl))
    faults.push(
      'auth.jwt.jwksUrl must be an https URL (http only on loopback): whoever can change the keys can be anybody.',
    );
  return faults;
}

function apiKeyFaults(keys: readonly ApiKeyOptions[]): string[] {
  const faults = keys.flatMap((entry, at) => {
    const name = `apiKeys[${at}]`;
    const short = tooShort(`${name}.key`, entry.key, API_KEY_LENGTH);
    return entry.userId && entry.tenant ? short : [...short, `auth.${name} needs a userId and a tenant.`];
  });
  if (new Set(keys.map((entry) => entry.key)).size < keys.length)
    faults.push('auth.apiKeys has the same key twice: each key stands for one principal.');
  return faults;
}

function originFaults(origins: readonly string[] = []): string[] {
  return origins
    .filter((origin) => !URL.canParse(origin) || new URL(origin).origin !== origin)
    .map(
      (origin) =>
        `auth.allowedOrigins: '${origin}' is no origin. Write scheme, host and port only: https://app.example.com`,
    );
}

function tooShort(name: string, secret: string | undefined, length = SECRET_LENGTH): string[] {
  if (secret === undefined || secret.length >= length) return [];
  return [`auth.${name} is too short to keep anybody out: it needs at least ${length} characters.`];
}

function notPositive(name: string, value: number | undefined): string[] {
  return value === undefined || (Number.isFinite(value) && value > 0)
    ? []
    : [`auth.${name} must be a number of milliseconds above 0.`];
}

function isTrustworthy(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.host));
}
