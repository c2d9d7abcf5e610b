import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../errors.js';

const PLAIN_LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:[1-5]?\d{1,4})?$/;

interface Addressed {
  readonly headers: IncomingHttpHeaders;
}

/**
 * Refuses what a web page elsewhere sends to a server that trusts its machine: a request for a name that is not loopback
 * (DNS rebinding makes the browser believe that it talks to the page's own host), or one from another site's page.
 * @throws AppError `ORIGIN_REFUSED`
 */
export function assertLocalCaller(request: Addressed, allowedOrigins: readonly string[] = []): void {
  const host = getHost(request);
  if (host === undefined || !isLoopbackHost(host))
    throw new AppError(
      'ORIGIN_REFUSED',
      'Without auth this server answers on localhost, 127.0.0.1 and [::1] only. Use one of them, or configure auth.',
    );
  if (!isLocalOrigin(request, allowedOrigins))
    throw new AppError(
      'ORIGIN_REFUSED',
      'The request comes from a web page of another site. Add its origin to the allowed origins if it may call this server.',
    );
}

/**
 * Refuses a request that a web page of somebody else made the browser send with the session cookie. SameSite=Strict keeps
 * other sites out, but not other hosts of the same site.
 * @throws AppError `ORIGIN_REFUSED`
 */
export function assertOwnOrigin(request: Addressed, allowedOrigins: readonly string[] = []): void {
  if (!isOwnOrigin(request, allowedOrigins))
    throw new AppError(
      'ORIGIN_REFUSED',
      'The request comes from a web page of another origin. Add it to the allowed origins if it may act for the people signed in here.',
    );
}

/** True for `localhost`, 127.0.0.0/8 and `[::1]`, with or without a port. */
export function isLoopbackHost(host: string): boolean {
  // As nearly all clients write it: what a request says is not worth two parsers each time.
  if (PLAIN_LOOPBACK.test(host)) return true;
  if (!URL.canParse(`http://${host}`)) return false;
  const { hostname } = new URL(`http://${host}`);
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function isLocalOrigin({ headers }: Addressed, allowedOrigins: readonly string[]): boolean {
  const { origin } = headers;
  // No Origin: not a page's script. A link that a person follows from elsewhere may open ours.
  if (origin === undefined)
    return headers['sec-fetch-site'] !== 'cross-site' || headers['sec-fetch-mode'] === 'navigate';
  if (allowedOrigins.includes(origin)) return true;
  return URL.canParse(origin) && isLoopbackHost(new URL(origin).host);
}

function isOwnOrigin(request: Addressed, allowedOrigins: readonly string[]): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers;
  // Browsers leave Origin out of same-origin reads and send Sec-Fetch-Site; a client that sends neither is not a browser.
  if (origin === undefined) return site === undefined || site === 'same-origin' || site === 'none';
  if (allowedOrigins.includes(origin) || site === 'same-origin') return true;
  // The scheme is not compared: behind a proxy that ends TLS, only the browser knows it.
  return URL.canParse(origin) && new URL(origin).host === getHost(request);
}

/** Host in HTTP/1.1, `:authority` in HTTP/2. What a proxy says it was is not believed: a page's script could say it too. */
function getHost({ headers }: Addressed): string | undefined {
  const authority = headers[':authority'];
  return headers.host ?? (typeof authority === 'string' ? authority : undefined);
}
