import { AppError } from '../../../errors.js';
import type { FetchPolicy } from '../tool-library.options.js';
import { matchesHost, toHostname, toHostPattern, type HostPattern } from './host-pattern.js';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** A URL, or what a connection is made to. */
export type FetchTarget = Pick<URL, 'protocol' | 'hostname' | 'port'>;

/** Says which hosts and ports may be fetched: a policy, read once. */
export class FetchRules {
  readonly #allowedHosts: readonly HostPattern[] | undefined;
  readonly #privateHosts: ReadonlySet<string>;
  readonly #allowedPorts: readonly number[];

  /** @throws AppError `CONFIG_INVALID` when a host of the policy cannot be read */
  constructor({ allowedHosts, privateHosts = [], allowedPorts = [80, 443] }: FetchPolicy = {}) {
    this.#allowedHosts = allowedHosts?.map(
      (text) => toHostPattern(text) ?? unreadable('allowedHosts', text, 'docs.example.com or *.example.org'),
    );
    this.#privateHosts = new Set(
      privateHosts.map(
        (text) => toHostAndPort(text) ?? unreadable('privateHosts', text, 'wiki.internal:8080'),
      ),
    );
    this.#allowedPorts = allowedPorts;
  }

  /** True for http and https. */
  speaks({ protocol }: FetchTarget): boolean {
    return protocol in DEFAULT_PORTS;
  }

  /** True if the list of hosts has the target's, or there is no list. An exempt target needs no second mention. */
  allowsHost(target: FetchTarget): boolean {
    if (!this.#allowedHosts || this.isExempt(target)) return true;
    return this.#allowedHosts.some((pattern) => matchesHost(pattern, target.hostname));
  }

  allowsPort(target: FetchTarget): boolean {
    return this.isExempt(target) || this.#allowedPorts.includes(getPort(target));
  }

  /** True if this host and port may be private, and the port any. */
  isExempt(target: FetchTarget): boolean {
    return this.#privateHosts.has(`${target.hostname}:${getPort(target)}`);
  }
}

/** Returns the port of a URL, which leaves out the usual one of its scheme. */
export function getPort({ protocol, port }: FetchTarget): number {
  return port ? Number(port) : DEFAULT_PORTS[protocol]!;
}

/** Returns `host:port` in its one form; undefined when it is none. */
export function toHostAndPort(text: string): string | undefined {
  const [, name = '', digits] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  const hostname = toHostname(name.replace(/\.$/, ''));
  const port = Number(digits);
  return hostname !== undefined && port >= 1 && port <= 65_535 ? `${hostname}:${port}` : undefined;
}

function unreadable(option: keyof FetchPolicy, text: string, example: string): never {
  throw new AppError(
    'CONFIG_INVALID',
    `httpFetch.${option} has an entry that cannot be read: '${text}'. Write it like ${example}.`,
  );
}
