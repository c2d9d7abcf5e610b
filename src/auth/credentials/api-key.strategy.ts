import type { ApiKeyOptions } from '../auth.options.js';
import type { Authentication } from '../authentication.js';
import { ApiKeys } from './api-keys.js';
import { readApiKey } from './carried-credentials.js';
import { CredentialStrategy, type CredentialRequest, type Passport } from './credential.strategy.js';

/** `X-API-Key: <key>`, or the key as a bearer token. */
export class ApiKeyStrategy extends CredentialStrategy {
  private readonly keys: ApiKeys;

  constructor(registry: Passport, keys: readonly ApiKeyOptions[]) {
    super('api-key', registry, readApiKey);
    this.keys = new ApiKeys(keys);
  }

  override validate(key: string, { refusals }: CredentialRequest): Authentication | undefined {
    const authentication = this.keys.find(key);
    if (!authentication) refusals?.push({ credential: 'api-key', reason: 'unknown' });
    return authentication;
  }
}
