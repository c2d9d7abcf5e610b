import type { CredentialsAuthOptions } from '../auth.options.js';
import type { Authentication } from '../authentication.js';
import { assertOwnOrigin } from '../origin.js';
import { readSessionCookie } from '../session-cookie.js';
import type { SessionService } from '../session.service.js';
import { CredentialStrategy, type CredentialRequest, type Passport } from './credential.strategy.js';

/** The session cookie. The one credential that a browser adds by itself, so it also matters whose page asked. */
export class SessionStrategy extends CredentialStrategy {
  private readonly allowedOrigins: readonly string[];

  constructor(
    registry: Passport,
    options: Pick<CredentialsAuthOptions, 'cookieName' | 'allowedOrigins' | 'oidc'>,
    private readonly sessions: SessionService,
  ) {
    super('session-cookie', registry, (request: CredentialRequest) => readSessionCookie(options, request));
    this.allowedOrigins = options.allowedOrigins ?? [];
  }

  override async validate(session: string, request: CredentialRequest): Promise<Authentication | undefined> {
    const authentication = await this.sessions.verify(session, request.refusals);
    // Reads are checked as well: an open stream costs something, and a page has no other reason to read from elsewhere.
    if (authentication) assertOwnOrigin(request, this.allowedOrigins);
    return authentication;
  }
}
