import { toHostname } from './library/http-fetch/host-pattern.js';

/**
 * Matches text that looks like a host: labels with dots between them, in any alphabet, or an IPv6 address in brackets. Begins where
 * a word does.
 */
const BARE =
  /\[[\da-f:.]{2,45}\]|(?<![\p{L}\p{M}\p{N}_-])[\p{L}\p{M}\p{N}_-]{1,63}(?:\.[\p{L}\p{M}\p{N}_-]{1,63}){1,20}/giu;

/** In a URL a host needs no dot. */
const IN_URL = /https?:\/\/(?:[^\s/?#\\@]{0,200}@)?([^\s/?#\\@:]{1,253})/giu;

/** Characters of all that the person wrote that are looked at, the newest first: a pasted book does not name hosts to send data to. */
const MOST_CHARACTERS = 1024 * 1024;

/**
 * Returns those of `hosts`, as `URL` writes them, that no text names literally, bare or in a URL. A host and the same with `www.` before
 * it count as one.
 */
export function findUnnamed(hosts: readonly string[], texts: readonly string[]): readonly string[] {
  const unnamed = new Set(hosts);
  let left = MOST_CHARACTERS;
  for (const text of texts) {
    const looked = text.slice(0, left);
    left -= looked.length;
    for (const name of findNames(looked)) {
      const named = withoutWww(toPlain(name) ?? '');
      for (const host of unnamed) if (withoutWww(host) === named) unnamed.delete(host);
      if (unnamed.size === 0) return [];
    }
  }
  return [...unnamed];
}

function* findNames(text: string): Generator<string> {
  for (const [name] of text.matchAll(BARE)) yield name;
  for (const [, name = ''] of text.matchAll(IN_URL)) yield name;
}

/** Plain letters need no URL to be read, and there may be very many names. */
function toPlain(name: string): string | undefined {
  return /^[a-z\d.-]*[a-z][a-z\d.-]*$/i.test(name) && !/xn--/i.test(name)
    ? name.toLowerCase()
    : toHostname(name);
}

function withoutWww(host: string): string {
  return host.replace(/^www\./, '');
}
