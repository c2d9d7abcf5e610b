import type { Authentication } from './authentication.js';
import { PrincipalToken, type SignedPrincipal } from './principal-token.js';

const AUDIENCE = 'session';

/** What the session cookie holds: a signed principal. Stateless, so every instance with the same secret knows it. */
export class SessionService {
  private readonly tokens: PrincipalToken;

  constructor(secret: Uint8Array, ttlMs: number) {
    this.tokens = new PrincipalToken(secret, 'session', ttlMs);
  }

  /** Ends with the credentials it was made from, or with the time to live, whichever is first. */
  issue(caller: Pick<Authentication, 'principal' | 'expiresAt'>): Promise<SignedPrincipal> {
    return this.tokens.sign(caller, AUDIENCE);
  }

  /** Who signed in; undefined when the value is not ours or has expired. */
  async verify(session: string): Promise<Authentication | undefined> {
    const carried = await this.tokens.verify(session, AUDIENCE);
    return carried && { principal: carried.principal, expiresAt: carried.tokenExpiresAt, via: 'session' };
  }
}
