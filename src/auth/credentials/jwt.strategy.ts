import type { JwtOptions } from '../auth.options.js';
import type { Authentication } from '../authentication.js';
import { AccessTokenVerifier } from './access-token.verifier.js';
import { bearerOf } from './carried-credentials.js';
import { CredentialStrategy, type Passport } from './credential.strategy.js';

/** `Authorization: Bearer <access token>`. */
export class JwtStrategy extends CredentialStrategy {
  private readonly tokens: AccessTokenVerifier;

  constructor(registry: Passport, options: JwtOptions) {
    super('jwt', registry, bearerOf);
    this.tokens = new AccessTokenVerifier(options);
  }

  override validate(token: string): Promise<Authentication | undefined> {
    return this.tokens.verify(token);
  }
}
