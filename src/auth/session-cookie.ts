import type { CredentialsAuthOptions } from './auth.options.js';
import { DEFAULT_COOKIE_NAME } from './auth.options.js';
import { HostCookie, type CookieRequest } from './host-cookie.js';

/** Characters of a cookie's value. Browsers drop a cookie of more than 4,096 bytes, its name and attributes included (RFC 6265bis, section 5.6). */
export const LONGEST_COOKIE = 3_800;

type NamedCookie = Pick<CredentialsAuthOptions, 'cookieName' | 'oidc'>;

/** Returns the session of a request: undefined without one, and when there are two, of which one is not ours. */
export function readSessionCookie(options: NamedCookie, request: CookieRequest): string | undefined {
  return toCookie(options).read(request);
}

/** Returns the `Set-Cookie` header that gives a browser its session, or that takes it away: `maxAge` 0, in seconds. */
export function sessionCookie(
  options: NamedCookie,
  request: CookieRequest,
  value: { readonly value: string; readonly maxAge: number },
): string {
  return toCookie(options).write(request, value);
}

function toCookie({ cookieName = DEFAULT_COOKIE_NAME, oidc }: NamedCookie): HostCookie {
  return new HostCookie(cookieName, { sameSite: 'Strict', isHttps: isByHttps(oidc) });
}

/** True if people come back from the provider by https: so they do to every page here. */
export function isByHttps(oidc: CredentialsAuthOptions['oidc']): boolean {
  return oidc?.redirectUri.startsWith('https:') === true;
}
