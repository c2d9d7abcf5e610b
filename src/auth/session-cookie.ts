import type { IncomingHttpHeaders } from 'node:http';
import type { CredentialsAuthOptions } from './auth.options.js';
import { DEFAULT_COOKIE_NAME } from './auth.options.js';
import { cookiesNamed } from './credentials/carried-credentials.js';

/** Browsers take a cookie of such a name only from the host itself, over https and for all paths (RFC 6265bis, section 4.1.3.2). */
const HOST_PREFIX = '__Host-';

interface CookieRequest {
  readonly headers: IncomingHttpHeaders;
  readonly protocol?: string;
}

/** Returns the cookie's name for a request: one that no other host can set, wherever the browser came by https. */
export function sessionCookieName(
  options: Pick<CredentialsAuthOptions, 'cookieName'>,
  request: CookieRequest,
): string {
  const name = options.cookieName ?? DEFAULT_COOKIE_NAME;
  return request.protocol === 'https' && !name.startsWith(HOST_PREFIX) ? HOST_PREFIX + name : name;
}

/** Returns the session of a request: undefined without one, and when there are two, of which one is not ours. */
export function readSessionCookie(
  options: Pick<CredentialsAuthOptions, 'cookieName'>,
  request: CookieRequest,
): string | undefined {
  const values = cookiesNamed(request, sessionCookieName(options, request));
  return values.length === 1 ? values[0] : undefined;
}

/** Returns the `Set-Cookie` header that gives a browser its session, or that takes it away: `maxAge` 0, in seconds (RFC 6265bis, section 4.1). */
export function sessionCookie(
  options: Pick<CredentialsAuthOptions, 'cookieName'>,
  request: CookieRequest,
  { value, maxAge }: { readonly value: string; readonly maxAge: number },
): string {
  const secure = request.protocol === 'https' ? '; Secure' : '';
  const name = sessionCookieName(options, request);
  return `${name}=${encodeURIComponent(value)}; Max-Age=${maxAge}; Path=/; HttpOnly${secure}; SameSite=Strict`;
}
