import { isIP } from 'node:net';

/**
 * A name of one host (`docs.example.com`), or of all that end in it (`*.example.org`: `a.example.org`, `a.b.example.org`, and
 * not `example.org` itself), in the form that `URL` gives to host names: lower case, Punycode, no dot at the end.
 */
export type HostPattern = string;

const WILDCARD = '*.';

/** Returns the pattern in its one form; undefined when it is none: a scheme, a port, a path or a star elsewhere. */
export function toHostPattern(text: string): HostPattern | undefined {
  const isWildcard = text.startsWith(WILDCARD);
  const name = (isWildcard ? text.slice(WILDCARD.length) : text).replace(/\.$/, '');
  const hostname = toHostname(name);
  if (hostname === undefined) return undefined;
  if (!isWildcard) return hostname;
  return isAddress(hostname) ? undefined : `${WILDCARD}${hostname}`;
}

/** True if the host, as `URL` gives it, is the one or one of those that the pattern names. */
export function matchesHost(pattern: HostPattern, hostname: string): boolean {
  if (!pattern.startsWith(WILDCARD)) return hostname === pattern;
  const suffix = pattern.slice(1);
  return hostname.length > suffix.length && hostname.endsWith(suffix) && !isAddress(hostname);
}

/** Returns a function that is true for the hosts that the patterns name. What is no pattern names none. */
export function toHostMatcher(texts: readonly string[]): (hostname: string) => boolean {
  const patterns = texts.map(toHostPattern).filter((pattern) => pattern !== undefined);
  return (hostname) => patterns.some((pattern) => matchesHost(pattern, hostname));
}

/** Returns the host of `name` as `URL` gives it; undefined when there is more than a host in it, or none. */
export function toHostname(name: string): string | undefined {
  if (!/^[\p{L}\p{M}\p{N}._-]+$|^\[[\da-f:.]+\]$/iu.test(name)) return undefined;
  const hostname = URL.parse(`http://${name}/`)?.hostname;
  return hostname === '' || hostname?.endsWith('.') || hostname?.includes('..') ? undefined : hostname;
}

function isAddress(hostname: string): boolean {
  return isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
}
