import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { buildConnector } from 'undici';
import { FetchRefusedError } from './fetch-refused.error.js';
import type { FetchRules } from './fetch-rules.js';
import { isPublicAddress } from './public-address.js';

const CONNECT_LIMIT_MS = 5_000;

/** Every address of a host. */
export type HostResolver = (hostname: string) => Promise<readonly string[]>;

/** As the system resolves it: hosts file, search domains and DNS. */
export const resolveHost: HostResolver = async (hostname) =>
  (await lookup(hostname, { all: true })).map(({ address }) => address);

/**
 * Resolves a host itself, refuses it when any of its addresses is not public, and connects to one that was checked: a
 * second resolution with another result never happens. A connector and not undici's `lookup` option, because that is not
 * called for hosts that are addresses already. TLS still verifies the certificate against the host's name.
 */
export function pinnedConnector(
  rules: FetchRules,
  resolve: HostResolver = resolveHost,
): buildConnector.connector {
  const connect = buildConnector({ timeout: CONNECT_LIMIT_MS });
  return (options, connected) => {
    checkedAddress(options, rules, resolve).then(
      (address) =>
        connect(
          { ...options, hostname: address, servername: options.servername || serverName(options.hostname) },
          connected,
        ),
      (error: Error) => connected(error, null),
    );
  };
}

async function checkedAddress(
  { protocol, hostname, port }: buildConnector.Options,
  rules: FetchRules,
  resolve: HostResolver,
): Promise<string> {
  // A host that is an IPv6 address has brackets in a URL and none here.
  const host = isIP(hostname) === 6 ? `[${hostname}]` : hostname;
  const target = { protocol, hostname: host, port };
  // The URL was looked at before. A name that got here another way is not even resolved.
  if (!rules.allowsHost(target)) throw new FetchRefusedError(`${host} is not allowed.`);
  const addresses = isIP(hostname) ? [hostname] : await resolve(hostname);
  if (!rules.isExempt(target) && !addresses.every(isPublicAddress)) {
    throw new FetchRefusedError(`${host} is not on the public internet.`);
  }
  // Not every machine has an IPv6 route; all have the other.
  const address = addresses.find((candidate) => isIP(candidate) === 4) ?? addresses[0];
  if (!address) throw new FetchRefusedError(`${host} has no address.`);
  return address;
}

/** TLS has no server name for an address. */
function serverName(hostname: string): string | undefined {
  return isIP(hostname) ? undefined : hostname;
}
