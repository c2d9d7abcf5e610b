import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiKeyOptions } from '../auth.options.js';
import type { Principal } from '../../principal.js';
import type { Authentication } from '../authentication.js';
import { apiKeySource, type CredentialSource } from '../credential-source.js';

/** The keys that let somebody in. Only their digests are kept. */
export class ApiKeys {
  private readonly entries: readonly {
    readonly digest: Buffer;
    readonly principal: Principal;
    readonly source: CredentialSource;
  }[];

  constructor(keys: readonly ApiKeyOptions[]) {
    this.entries = keys.map((entry) => {
      const { key, userId, tenant, roles = [] } = entry;
      return { digest: hashKey(key), principal: { userId, tenant, roles }, source: apiKeySource(entry) };
    });
  }

  /** Returns the principal of a key. Takes the same time for every wrong key, however much of it is right. */
  find(key: string): Authentication | undefined {
    const digest = hashKey(key);
    // filter, not find: every entry is compared, so that the time does not tell how far down the list a key is.
    const [found] = this.entries.filter((entry) => timingSafeEqual(entry.digest, digest));
    return found && { principal: { ...found.principal }, via: 'api-key', source: found.source };
  }
}

function hashKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
