import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { isLoopbackHost } from '../auth/origin.js';
import { AppError } from '../errors.js';

/** Thrown by a parser: what to write instead. Never contains the value, which may be a secret. */
export class Unusable extends Error {}

/** A zod schema for one setting: `parse` gets trimmed, non-empty text and throws `Unusable` or an `AppError` with the remedy. */
export function setting<Value>(parse: (text: string) => Value) {
  return z.string().transform((text, context): Value => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof Unusable || error instanceof AppError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
}

export const text = () => setting((value) => value);

export const integer = (from: number, to: number) =>
  setting((value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= from && number <= to) return number;
    throw new Unusable(`write a whole number from ${from} to ${to}`);
  });

const BYTE_UNITS = { '': 1, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 } as const;

/** Bytes, bare or with a binary unit: `262144`, `256KiB`, `16 MiB`. */
export const bytes = (from: number) =>
  setting((value) => {
    const [, digits, unit] = /^(\d{1,12}) ?(kib|mib|gib|)$/.exec(value.toLowerCase()) ?? [];
    const count = Number(digits) * BYTE_UNITS[(unit ?? '') as keyof typeof BYTE_UNITS];
    if (count >= from && Number.isSafeInteger(count)) return count;
    throw new Unusable(`write a number of bytes, at least ${from}, such as 256KiB or 16MiB`);
  });

export const boolean = () =>
  setting((value) => {
    if (value === 'true') return true;
    if (value === 'false') return false;
    throw new Unusable('write true or false');
  });

export const oneOf = <const Choice extends string>(...choices: readonly Choice[]) =>
  setting((value) => {
    const choice = choices.find((known) => known === value);
    if (choice !== undefined) return choice;
    throw new Unusable(`write one of ${choices.join(', ')}`);
  });

export const webUrl = () =>
  setting((value) => {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    if (url?.protocol === 'http:' || url?.protocol === 'https:') return value.replace(/\/+$/, '');
    throw new Unusable('write a whole URL that begins with http:// or https://');
  });

/** Keys that decide who is who must not come over a wire that others can write on. */
export const keySetUrl = () =>
  setting((value) => {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.host))) return value;
    throw new Unusable('write a whole URL that begins with https:// (http:// on loopback only)');
  });

/** Shorter secrets can be found by trying. */
export const secret = (characters: number) =>
  setting((value) => {
    if (value.length >= characters) return value;
    throw new Unusable(
      `write at least ${characters} random characters, for example from: openssl rand -hex 32`,
    );
  });

/** What a comma-separated list holds, without its empty items. */
export const items = (value: string): string[] =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

export const hostNames = () =>
  setting((value) =>
    items(value).map((name) => {
      if (/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$/i.test(name)) return name.toLowerCase();
      throw new Unusable(
        'write host names without scheme, port or path, such as docs.example.com,*.example.org',
      );
    }),
  );

/** Names of tools. */
export const names = () =>
  setting((value) =>
    items(value).map((name) => {
      if (/^[A-Za-z0-9_-]{1,64}$/.test(name)) return name;
      throw new Unusable('write names of tools, such as http_fetch,web_search');
    }),
  );

export const webOrigins = () =>
  setting((value) =>
    items(value).map((origin) => {
      if (origin === '*') {
        throw new Unusable('list the origins; * is refused, because requests here carry credentials');
      }
      if (URL.canParse(origin) && /^https?:/.test(origin) && new URL(origin).origin === origin) return origin;
      throw new Unusable('write origins in lower case, without a path, such as https://chat.example.com');
    }),
  );

const PROXY_RANGES = ['loopback', 'linklocal', 'uniquelocal'];

/** Express's `trust proxy`: `true`, `false`, the number of proxies, or the addresses they have. */
export const trustedProxies = () =>
  setting((value): boolean | number | string[] => {
    if (value === 'true' || value === 'false') return value === 'true';
    if (/^\d{1,2}$/.test(value)) return Number(value);
    const ranges = items(value);
    if (
      ranges.every(
        (range) => PROXY_RANGES.includes(range) || ipaddr.isValid(range) || ipaddr.isValidCIDR(range),
      )
    ) {
      return ranges;
    }
    throw new Unusable(
      'write how many proxies are in front, or their addresses, such as 10.0.0.0/8,loopback',
    );
  });

/** The address of a server, credentials and all, by one of these protocols. */
export const serverUrl = (...protocols: readonly [string, ...string[]]) =>
  setting((value) => {
    const { protocol } = URL.canParse(value) ? new URL(value) : {};
    if (protocols.some((known) => protocol === `${known}:`)) return value;
    throw new Unusable(`write a whole URL, such as ${protocols[0]}://user:password@host/name`);
  });

/** A choice of several, in the order in which they are known. */
export const someOf = <const Choice extends string>(...choices: readonly Choice[]) =>
  setting((value): readonly Choice[] => {
    const wanted = items(value);
    const chosen = choices.filter((choice) => wanted.includes(choice));
    if (chosen.length > 0 && wanted.every((name) => choices.some((choice) => choice === name))) return chosen;
    throw new Unusable(`write one or more of ${choices.join(', ')}`);
  });
