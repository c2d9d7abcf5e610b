import type { JwtOptions, OidcOptions } from '../auth.options.js';
import type { Authentication } from '../authentication.js';
import { AccessTokenVerifier } from './access-token.verifier.js';
import { readBearer } from './carried-credentials.js';
import { CredentialStrategy, type CredentialRequest, type Passport } from './credential.strategy.js';

/** `Authorization: Bearer <access token>`. */
export class JwtStrategy extends CredentialStrategy {
  private readonly tokens: AccessTokenVerifier;

  constructor(registry: Passport, options: JwtOptions, signIn?: OidcOptions) {
    super('jwt', registry, readBearer);
    this.tokens = new AccessTokenVerifier(options, signIn);
  }

  override validate(token: string, { refusals }: CredentialRequest): Promise<Authentication | undefined> {
    return this.tokens.verify(token, refusals);
  }
}
