import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiKeyOptions } from '../auth.options.js';
import type { Authentication } from '../authentication.js';

/** The keys that let somebody in. Only their digests are kept. */
export class ApiKeys {
  private readonly entries: readonly { readonly digest: Buffer; readonly authentication: Authentication }[];

  constructor(keys: readonly ApiKeyOptions[]) {
    this.entries = keys.map(({ key, userId, tenant, roles = [] }) => ({
      digest: digestOf(key),
      authentication: { principal: { userId, tenant, roles }, via: 'api-key' },
    }));
  }

  /** Who the key stands for. Takes the same time for every wrong key, however much of it is right. */
  find(key: string): Authentication | undefined {
    const digest = digestOf(key);
    // filter, not find: every entry is compared, so that the time does not tell how far down the list a key is.
    return this.entries.filter((entry) => timingSafeEqual(entry.digest, digest))[0]?.authentication;
  }
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
