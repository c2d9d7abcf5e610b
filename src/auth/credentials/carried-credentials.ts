import type { IncomingHttpHeaders } from 'node:http';

interface HeaderCarrier {
  readonly headers: IncomingHttpHeaders;
}

/** The token of `Authorization: Bearer …` (RFC 6750, section 2.1); the scheme's name has no case. */
export function readBearer({ headers }: HeaderCarrier): string | undefined {
  return /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
}

/** The key of `X-API-Key`, or else the bearer token. */
export function readApiKey(request: HeaderCarrier): string | undefined {
  const key = request.headers['x-api-key'];
  return typeof key === 'string' ? key : readBearer(request);
}

/** Returns the value of every cookie of that name: a page of a sibling host can add one to ours. */
export function cookiesNamed({ headers }: HeaderCarrier, name: string): string[] {
  return (headers.cookie?.split(';') ?? []).flatMap((pair) => {
    const equals = pair.indexOf('=');
    return equals > 0 && pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : [];
  });
}
