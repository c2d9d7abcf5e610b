import { randomBytes } from 'node:crypto';
import type { Owner } from '../principal.js';
import type { SecurityLog } from '../security/security-log.service.js';
import type { Authentication, Refusal } from './authentication.js';
import type { CredentialSource } from './credential-source.js';
import { PrincipalToken, type CarriedPrincipal, type SignedPrincipal } from './principal-token.js';
import { LONGEST_COOKIE } from './session-cookie.js';
import type { SessionEndings } from './session-endings.service.js';
import { Sessions } from './sessions.js';
import type { SigningKeys } from './signing-key.js';

const AUDIENCE = 'session';

/**
 * Issues and verifies the value of the session cookie, a signed principal. Every instance of a storage knows it. It ends with its
 * time, with the credentials that it was made from, or when somebody ends it.
 */
export class SessionService extends Sessions {
  constructor(
    private readonly tokens: PrincipalToken,
    private readonly endings: SessionEndings,
    private readonly keys: SigningKeys,
    private readonly security: SecurityLog,
  ) {
    super();
  }

  /**
   * Begins a session that ends with the credentials it was made from, or with the time to live, whichever is first.
   *
   * @returns undefined if the principal does not fit into a cookie, because of its roles
   */
  async issue(
    { principal, name, expiresAt, source, via }: Omit<Authentication, 'session' | 'ended'>,
    address?: string,
  ): Promise<SignedPrincipal | undefined> {
    const marks = await this.endings.listMarks(principal);
    const sessionId = randomBytes(12).toString('base64url');
    const carried = {
      principal,
      source,
      sessionId,
      marks,
      ...(name !== undefined && { name }),
      ...(expiresAt !== undefined && { expiresAt }),
    };
    const signed = await this.tokens.sign(carried, AUDIENCE);
    if (signed.token.length > LONGEST_COOKIE) return undefined;
    this.security.record({ type: 'sign-in', principal, address, reason: `by ${via}` });
    return signed;
  }

  /** Returns the principal that signed in; undefined if the value is not ours, has expired or was ended. `refusals` is told why. */
  async verify(session: string, refusals?: Refusal[]): Promise<Authentication | undefined> {
    const carried = await this.tokens.verify(session, AUDIENCE);
    if (typeof carried === 'string') {
      refusals?.push({ credential: 'session', reason: carried });
      return undefined;
    }
    if (await this.endings.hasEnded(carried)) {
      refusals?.push({ credential: 'session', reason: 'ended' });
      return undefined;
    }
    const { name, tokenExpiresAt: expiresAt } = carried;
    return {
      ...toAuthentication(carried, this.endings),
      ...(name !== undefined && { name }),
      expiresAt,
      via: 'session',
    };
  }

  /**
   * Ends the session of this cookie, and its tickets. Harmless when there is nothing to end.
   *
   * @returns the credential that the session was made from; undefined if there was nothing to end
   */
  async end(session: string, address?: string): Promise<CredentialSource | undefined> {
    const carried = await this.tokens.verify(session, AUDIENCE);
    if (typeof carried === 'string' || carried.sessionId === undefined) return undefined;
    const { sessionId, principal, source, tokenExpiresAt } = carried;
    if (await this.endings.hasEnded(carried)) return undefined;
    await this.endings.endSession({ ...carried, sessionId }, tokenExpiresAt);
    this.security.record({ type: 'sign-out', principal, address });
    return source;
  }

  /** @param by who asked for it; absent for the host's own code */
  override async endAll(owner: Owner, by?: EndedBy): Promise<void> {
    await this.endings.endAll(owner);
    this.record(by, `${owner.userId}@${owner.tenant}`);
  }

  override async endForEveryone(by?: EndedBy): Promise<void> {
    await this.keys.forgetAll();
    await this.endings.endForEveryone();
    this.record(by, 'everybody');
  }

  private record(by: EndedBy | undefined, scope: string): void {
    this.security.record({
      type: 'sessions-ended',
      reason: `by the ${by?.as ?? 'host'}`,
      subject: scope,
      ...(by && { principal: by.principal, address: by.address }),
    });
  }
}

/** The person who ended sessions, and their address. */
export interface EndedBy {
  readonly principal: Owner;
  readonly address: string | undefined;
  readonly as: 'user' | 'operator';
}

/** Turns the content of one of our tokens into an authentication. */
export function toAuthentication(
  carried: CarriedPrincipal,
  endings: SessionEndings,
): Pick<Authentication, 'principal' | 'source' | 'session' | 'ended'> {
  const { principal, source, sessionId, marks = [] } = carried;
  const session = { ...(sessionId !== undefined && { id: sessionId }), marks };
  return { principal, source, session, ended: endings.whenEnded(carried) };
}
