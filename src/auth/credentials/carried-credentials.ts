import type { IncomingHttpHeaders } from 'node:http';

interface WithHeaders {
  readonly headers: IncomingHttpHeaders;
}

/** The token of `Authorization: Bearer …` (RFC 6750, section 2.1); the scheme's name has no case. */
export function bearerOf({ headers }: WithHeaders): string | undefined {
  return /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
}

/** The key of `X-API-Key`, or else the bearer token. */
export function apiKeyOf(request: WithHeaders): string | undefined {
  const key = request.headers['x-api-key'];
  return typeof key === 'string' ? key : bearerOf(request);
}

/** The value of the cookie of that name; the first, when there are several. */
export function cookieOf({ headers }: WithHeaders, name: string): string | undefined {
  for (const pair of headers.cookie?.split(';') ?? []) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}
