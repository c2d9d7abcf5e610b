import passport from 'passport';
import type { CredentialsAuthOptions } from '../auth.options.js';
import type { Authentication, IncomingRequest, Refusal } from '../authentication.js';
import { CredentialReader } from '../authenticator.js';
import type { SessionService } from '../session.service.js';
import { ApiKeyStrategy } from './api-key.strategy.js';
import type { CredentialRequest, Passport } from './credential.strategy.js';
import { JwtStrategy } from './jwt.strategy.js';
import { SessionStrategy } from './session.strategy.js';

/**
 * Passport with the configured strategies: access token, API key, session cookie; the first that succeeds counts, so what
 * a caller sends on purpose goes before what a browser adds.
 *
 * It has a Passport of its own instead of the global one, where strategies are known by name only: two instances in one
 * application, or a host with its own `jwt` strategy, would silently get each other's.
 */
export class PassportCredentialReader extends CredentialReader {
  private readonly passport: Passport = new passport.Passport();
  private readonly strategies: string[] = [];

  constructor(options: CredentialsAuthOptions, sessions: SessionService) {
    super();
    if (options.jwt) this.strategies.push(new JwtStrategy(this.passport, options.jwt, options.oidc).name);
    if (options.apiKeys?.length)
      this.strategies.push(new ApiKeyStrategy(this.passport, options.apiKeys).name);
    this.strategies.push(new SessionStrategy(this.passport, options, sessions).name);
  }

  override read(request: IncomingRequest, refusals: Refusal[]): Promise<Authentication | undefined> {
    return new Promise((resolve, reject) => {
      const callback = (error: unknown, authentication?: Authentication | false | null): void => {
        if (error) reject(error);
        else resolve(authentication || undefined);
      };
      // Passport writes logIn, isAuthenticated and a session manager onto the request it gets. A host's request keeps its own.
      const { headers, protocol } = request;
      const copy: CredentialRequest = { headers, refusals, ...(protocol !== undefined && { protocol }) };
      this.passport.authenticate(this.strategies, { session: false }, callback)(copy, undefined, reject);
    });
  }
}
