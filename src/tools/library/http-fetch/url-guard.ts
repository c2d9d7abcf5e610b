import { FetchRefusedError } from './fetch-refused.error.js';
import { getPort, type FetchRules } from './fetch-rules.js';

/**
 * The URL, if its form allows to fetch it. Where its host leads is checked when it is connected to, and not here: a name
 * can be resolved twice with two results.
 *
 * @throws FetchRefusedError naming what about the URL is not allowed
 */
export function guardedUrl(text: string, rules: FetchRules, base?: URL): URL {
  const url = URL.parse(text, base);
  if (!url)
    throw new FetchRefusedError('That is not a URL. Use an absolute one such as https://example.com/page.');
  if (!rules.speaks(url)) throw new FetchRefusedError('Only http and https URLs can be fetched.');
  if (url.username || url.password)
    throw new FetchRefusedError('A URL with a user name or password is not fetched.');
  if (!url.hostname || url.hostname.endsWith('.'))
    throw new FetchRefusedError('The host name of the URL is not valid.');
  if (!rules.allowsHost(url)) {
    throw new FetchRefusedError(`The settings of this server do not allow fetching from ${url.hostname}.`);
  }
  if (!rules.allowsPort(url)) throw new FetchRefusedError(`Port ${getPort(url)} is not allowed.`);
  url.hash = '';
  return url;
}
