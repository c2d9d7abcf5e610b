import type { FetchPolicy } from '../tool-library.options.js';
import { FetchRefusedError } from './fetch-refused.error.js';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/**
 * The URL, if its form allows to fetch it. Where its host leads is checked when it is connected to, and not here: a name
 * can be resolved twice with two results.
 *
 * @throws FetchRefusedError naming what about the URL is not allowed
 */
export function guardedUrl(text: string, policy: FetchPolicy, base?: URL): URL {
  const url = URL.parse(text, base);
  if (!url)
    throw new FetchRefusedError('That is no URL. Use an absolute one such as https://example.com/page.');
  if (!(url.protocol in DEFAULT_PORTS))
    throw new FetchRefusedError('Only http and https URLs can be fetched.');
  if (url.username || url.password)
    throw new FetchRefusedError('A URL with a user name or password is not fetched.');
  if (!url.hostname || url.hostname.endsWith('.'))
    throw new FetchRefusedError('The host name of the URL is not valid.');
  if (!isExempt(url, policy) && !(policy.allowedPorts ?? [80, 443]).includes(portOf(url))) {
    throw new FetchRefusedError(`Port ${portOf(url)} is not allowed.`);
  }
  url.hash = '';
  return url;
}

/** True when the settings name this host and port. */
export function isExempt(url: Pick<URL, 'protocol' | 'hostname' | 'port'>, policy: FetchPolicy): boolean {
  const wanted = `${url.hostname}:${portOf(url)}`;
  return policy.allowedHosts?.some((host) => host.toLowerCase() === wanted) ?? false;
}

function portOf({ protocol, port }: Pick<URL, 'protocol' | 'port'>): number {
  return port ? Number(port) : DEFAULT_PORTS[protocol]!;
}
