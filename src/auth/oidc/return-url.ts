import type { OidcOptions } from '../auth.options.js';

const LONGEST_PATH = 2_000;

type Places = Pick<OidcOptions, 'redirectUri' | 'homeUrl'>;

/**
 * Returns the URL that a browser goes to after a sign-in. Only a path on the origin of the page is taken: with any other URL, a link to the
 * sign-in could lead people to a page that looks like ours.
 *
 * @param path as the page asked for it; anything else than such a path leads to the home page
 */
export function toReturnUrl(path: unknown, places: Places): URL {
  const home = toHomeUrl(places);
  if (typeof path !== 'string' || !path.startsWith('/') || path.length > LONGEST_PATH) return home;
  if (!URL.canParse(path, home)) return home;
  const url = new URL(path, home);
  // `//host` and `/\host` name another host. A sign-in that led to a sign-in would never end.
  return url.origin === home.origin && !url.pathname.startsWith(toSignInPath(places)) ? url : home;
}

export function toHomeUrl({ redirectUri, homeUrl = '/' }: Places): URL {
  return new URL(homeUrl, redirectUri);
}

/** Returns the path of the session's routes, as browsers see it. */
export function toSessionPath({ redirectUri }: Pick<OidcOptions, 'redirectUri'>): string {
  return new URL(redirectUri).pathname.replace(/\/[^/]*\/[^/]*$/, '') || '/';
}

function toSignInPath({ redirectUri }: Places): string {
  return new URL(redirectUri).pathname.replace(/\/[^/]*$/, '');
}
