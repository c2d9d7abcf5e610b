import type { ApiKeyOptions } from '../auth.options.js';
import type { Authentication } from '../authentication.js';
import { ApiKeys } from './api-keys.js';
import { apiKeyOf } from './carried-credentials.js';
import { CredentialStrategy, type Passport } from './credential.strategy.js';

/** `X-API-Key: <key>`, or the key as a bearer token. */
export class ApiKeyStrategy extends CredentialStrategy {
  private readonly keys: ApiKeys;

  constructor(registry: Passport, keys: readonly ApiKeyOptions[]) {
    super('api-key', registry, apiKeyOf);
    this.keys = new ApiKeys(keys);
  }

  override validate(key: string): Authentication | undefined {
    return this.keys.find(key);
  }
}
