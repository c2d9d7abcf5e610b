import { relative, resolve } from 'node:path';
import ipaddr from 'ipaddr.js';
import { isLoopbackHost } from '../../auth/origin.js';
import { MEDIA_RANGE } from '../../events/media-range.js';
import { toHostAndPort } from '../../tools/library/http-fetch/fetch-rules.js';
import { toHostPattern } from '../../tools/library/http-fetch/host-pattern.js';
import type { Format } from './setting.js';

/** Thrown by a format: what to write instead. Never contains the value, which may be a secret. */
export class InvalidSettingError extends Error {}

/** Makes a format. Lists are written with commas between, everything else as it is. */
export function format<Value>(
  parse: (text: string) => Value,
  write: (value: Value) => string = (value) => String(value),
): Format<Value> {
  return { parse, write };
}

export const text = () => format((value) => value);

export const integer = (from: number, to: number) => format((text) => parseWhole(text, from, to));

function parseWhole(text: string, from: number, to: number): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= from && number <= to) return number;
  throw new InvalidSettingError(`write a whole number from ${from} to ${to}`);
}

/** A whole number of a unit, for an option that counts in a smaller one: seconds, for an option in milliseconds. */
const inUnits = (size: number) => (from: number, to: number) =>
  format(
    (text) => parseWhole(text, from, to) * size,
    (value) => String(value / size),
  );

export const seconds = inUnits(1_000);
export const minutes = inUnits(60_000);
export const hours = inUnits(3_600_000);
export const days = inUnits(86_400_000);
export const mebibytes = inUnits(1024 ** 2);

const BYTE_UNITS = { '': 1, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 } as const;

/** Bytes, bare or with a binary unit: `262144`, `256KiB`, `16 MiB`. */
export const bytes = (from: number) =>
  format((text) => {
    const [, digits, unit] = /^(\d{1,12}) ?(kib|mib|gib|)$/.exec(text.toLowerCase()) ?? [];
    const count = Number(digits) * BYTE_UNITS[(unit ?? '') as keyof typeof BYTE_UNITS];
    if (count >= from && Number.isSafeInteger(count)) return count;
    throw new InvalidSettingError(`write a number of bytes, at least ${from}, such as 256KiB or 16MiB`);
  }, writeBytes);

function writeBytes(count: number): string {
  if (count % 1024 ** 2 === 0) return `${count / 1024 ** 2}MiB`;
  return count % 1024 === 0 ? `${count / 1024}KiB` : String(count);
}

/** A file or folder. What is relative starts at the working directory. */
export const path = () =>
  format(
    (text) => resolve(text),
    (value) => `./${relative('.', value)}`,
  );

export const boolean = () =>
  format((value) => {
    if (value === 'true') return true;
    if (value === 'false') return false;
    throw new InvalidSettingError('write true or false');
  });

export const parseChoice = <const Choice extends string>(...choices: readonly Choice[]) =>
  format((value) => {
    const choice = choices.find((known) => known === value);
    if (choice !== undefined) return choice;
    throw new InvalidSettingError(`write one of ${choices.join(', ')}`);
  });

export const webUrl = () =>
  format((value) => {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    if (url?.protocol === 'http:' || url?.protocol === 'https:') return value.replace(/\/+$/, '');
    throw new InvalidSettingError('write a whole URL that begins with http:// or https://');
  });

/** An https URL, or http on this machine. Over http, others could change the keys that prove who people are. */
export const safeUrl = () =>
  format((value) => {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.host))) return value;
    throw new InvalidSettingError('write a whole URL that begins with https:// (http:// on loopback only)');
  });

/** Shorter secrets can be found by trying. */
export const secret = (characters: number) =>
  format((value) => {
    if (value.length >= characters) return value;
    throw new InvalidSettingError(
      `write at least ${characters} random characters, for example from: openssl rand -hex 32`,
    );
  });

/** One secret or several, with commas between; each long enough. */
export const secrets = (characters: number) =>
  format((value): readonly [string, ...string[]] => {
    const [first, ...others] = items(value);
    if (first !== undefined && [first, ...others].every((each) => each.length >= characters))
      return [first, ...others];
    throw new InvalidSettingError(
      `write at least ${characters} random characters, for example from: openssl rand -hex 32; several with commas between`,
    );
  });

/** Returns the items of a comma-separated list, without empty ones. */
export const items = (value: string): string[] =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

/** Hosts, each by its name or, with `*.` before it, those below it. */
export const hostPatterns = () =>
  format((value) => {
    const patterns = items(value).map(toHostPattern);
    if (patterns.length > 0 && patterns.every((pattern) => pattern !== undefined)) return patterns;
    throw new InvalidSettingError(
      'write host names without scheme, port or path, such as docs.example.com,*.example.org',
    );
  });

/** Hosts with their ports. */
export const hostsAndPorts = () =>
  format((value) => {
    const hosts = items(value).map(toHostAndPort);
    if (hosts.length > 0 && hosts.every((host) => host !== undefined)) return hosts;
    throw new InvalidSettingError('write hosts with their ports, such as wiki.internal:8080,10.0.0.7:80');
  });

/** Parses items that belong to agents, such as their tools: `agent.name`, or `agent.*` for all of one, grouped by agent. */
export const partsOfAgents = () =>
  format((value): ReadonlyMap<string, true | readonly string[]> => {
    const parts = [...readParts(value)];
    return new Map(parts.map(([agent, names]) => [agent, names.includes('*') ? true : names]));
  }, writeParts);

/** Parses items as {@link partsOfAgents} does, and keeps what is named beside `agent.*`. */
export const namedPartsOfAgents = () => format(readParts, writeParts);

function readParts(value: string): ReadonlyMap<string, readonly string[]> {
  const parts = new Map<string, readonly string[]>();
  for (const item of items(value)) {
    const [, agent, name] = /^([\w-]+)\.([\w-]+|\*)$/.exec(item) ?? [];
    if (agent === undefined || name === undefined)
      throw new InvalidSettingError('write agent.name or agent.*, such as support.search,coder.*');
    parts.set(agent, [...(parts.get(agent) ?? []), name]);
  }
  return parts;
}

function writeParts(parts: ReadonlyMap<string, true | readonly string[]>): string {
  return [...parts]
    .flatMap(([agent, names]) => (names === true ? ['*'] : names).map((name) => `${agent}.${name}`))
    .join(',');
}

/** A colour for the light page and one for the dark page. */
export const colours = () =>
  format(
    (value) => {
      const [light, dark, ...others] = items(value);
      if (light !== undefined && dark !== undefined && others.length === 0) return { light, dark };
      throw new InvalidSettingError(
        'write two colours, such as #0c5f54,#74d6c2: for the light page and for the dark one',
      );
    },
    ({ light, dark }) => `${light},${dark}`,
  );

const MOST_SUGGESTIONS = 12;
const LONGEST_SUGGESTION = 300;

/** Questions by agent: `agent=question|question;agent=question`. */
export const suggestionsOfAgents = () =>
  format(
    (value): ReadonlyMap<string, readonly string[]> => {
      const parts = value.split(';').filter((each) => each.trim() !== '');
      return new Map(parts.map(parseSuggestions));
    },
    (questions) => [...questions].map(([agent, all]) => `${agent}=${all.join('|')}`).join(';'),
  );

function parseSuggestions(part: string): [string, readonly string[]] {
  const [, agent, rest = ''] = /^\s*([\w-]+)=(.*)$/s.exec(part) ?? [];
  const questions = rest
    .split('|')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  if (
    agent === undefined ||
    questions.length > MOST_SUGGESTIONS ||
    questions.some(({ length }) => length > LONGEST_SUGGESTION)
  )
    throw new InvalidSettingError(
      `write agent=question|question, with ; between agents: at most ${MOST_SUGGESTIONS} of an agent, of ${LONGEST_SUGGESTION} characters`,
    );
  return [agent, questions];
}

/** @param kind the things that are named, with an example */
export const names = (kind = 'tools, such as http_fetch,web_search') =>
  format((value) =>
    items(value).map((name) => {
      if (/^[A-Za-z0-9_-]{1,64}$/.test(name)) return name;
      throw new InvalidSettingError(`write names of ${kind}`);
    }),
  );

/** Media types, and ranges of them. */
export const mediaRanges = () =>
  format((value): readonly string[] => {
    const ranges = items(value);
    if (ranges.length > 0 && ranges.every((range) => MEDIA_RANGE.test(range))) return ranges;
    throw new InvalidSettingError('write media types or ranges of them, such as image/*,application/pdf');
  });

/** Media types and ranges of agents: `agent.image/*`. */
export const mediaRangesOfAgents = () =>
  format((value): ReadonlyMap<string, readonly string[]> => {
    const ranges = new Map<string, readonly string[]>();
    for (const item of items(value)) {
      const [, agent, range = ''] = /^([\w-]+)\.(.+)$/.exec(item) ?? [];
      if (agent === undefined || !MEDIA_RANGE.test(range))
        throw new InvalidSettingError('write agent.type, such as designer.image/*,designer.application/pdf');
      ranges.set(agent, [...(ranges.get(agent) ?? []), range]);
    }
    return ranges;
  }, writeParts);

/** Names of any form, as issuers make them up. */
export const texts = () => format((value): readonly string[] => items(value));

export const webOrigins = () =>
  format((value) =>
    items(value).map((origin) => {
      if (origin === '*') {
        throw new InvalidSettingError(
          'list the origins; * is refused, because requests here carry credentials',
        );
      }
      if (URL.canParse(origin) && /^https?:/.test(origin) && new URL(origin).origin === origin) return origin;
      throw new InvalidSettingError(
        'write origins in lower case, without a path, such as https://chat.example.com',
      );
    }),
  );

const PROXY_RANGES = ['loopback', 'linklocal', 'uniquelocal'];

/** Express's `trust proxy`: `true`, `false`, the number of proxies, or the addresses they have. */
export const trustedProxies = () =>
  format((value): boolean | number | string[] => {
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
    throw new InvalidSettingError(
      'write how many proxies are in front, or their addresses, such as 10.0.0.0/8,loopback',
    );
  });

/** The address of a server, credentials and all, by one of these protocols. */
export const serverUrl = (...protocols: readonly [string, ...string[]]) =>
  format((value) => {
    const { protocol } = URL.canParse(value) ? new URL(value) : {};
    if (protocols.some((known) => protocol === `${known}:`)) return value;
    throw new InvalidSettingError(`write a whole URL, such as ${protocols[0]}://user:password@host/name`);
  });

/** A choice of several, in the order in which they are known. */
export const parseChoices = <const Choice extends string>(...choices: readonly Choice[]) =>
  format((value): readonly Choice[] => {
    const wanted = items(value);
    const chosen = choices.filter((choice) => wanted.includes(choice));
    if (chosen.length > 0 && wanted.every((name) => choices.some((choice) => choice === name))) return chosen;
    throw new InvalidSettingError(`write one or more of ${choices.join(', ')}`);
  });
