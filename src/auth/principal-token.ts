import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Principal } from '../principal.js';
import type { Authentication } from './authentication.js';
import { signingKey } from './signing-key.js';

/** A signed statement of ours, and until when it is believed (milliseconds since the epoch). */
export interface SignedPrincipal {
  readonly token: string;
  readonly expiresAt: number;
}

/** A principal as our own token carries it: also when the credentials end that it was made from. */
type Carried = Pick<Authentication, 'principal' | 'expiresAt'>;

const Claims = z.object({
  sub: z.string(),
  tenant: z.string(),
  roles: z.array(z.string()),
  /** When the credentials end, in milliseconds since the epoch. */
  until: z.number().optional(),
});

/**
 * Signs principals and reads them back: the shared half of stream tickets and sessions. Each purpose has its own key and
 * `typ`, so that a ticket is no session, neither is an access token, and no access token is either.
 */
export class PrincipalToken {
  private readonly key: Uint8Array;
  private readonly typ: string;

  constructor(
    secret: Uint8Array,
    purpose: 'stream-ticket' | 'session',
    private readonly ttlMs: number,
  ) {
    this.key = signingKey(secret, purpose);
    this.typ = `${purpose}+jwt`;
  }

  /** Believed for the time to live, yet never longer than the credentials. `audience` is what it is good for. */
  async sign({ principal, expiresAt: until }: Carried, audience: string): Promise<SignedPrincipal> {
    const seconds = Math.floor(Math.min(Date.now() + this.ttlMs, until ?? Infinity) / 1000);
    const token = await new SignJWT({ tenant: principal.tenant, roles: [...principal.roles], until })
      .setProtectedHeader({ alg: 'HS256', typ: this.typ })
      .setSubject(principal.userId)
      .setAudience(audience)
      .setExpirationTime(seconds)
      .sign(this.key);
    return { token, expiresAt: seconds * 1000 };
  }

  /** Undefined when we did not sign it for this audience, or when it has expired. */
  async verify(
    token: string,
    audience: string,
  ): Promise<(Carried & { readonly tokenExpiresAt: number }) | undefined> {
    try {
      const { payload } = await jwtVerify(token, this.key, {
        algorithms: ['HS256'],
        typ: this.typ,
        audience,
        requiredClaims: ['exp'],
      });
      const claims = Claims.parse(payload);
      const principal: Principal = { userId: claims.sub, tenant: claims.tenant, roles: claims.roles };
      return { principal, expiresAt: claims.until, tokenExpiresAt: (payload.exp ?? 0) * 1000 };
    } catch {
      // Whatever is wrong with a token of ours, the answer is the same: it opens nothing.
      return undefined;
    }
  }
}
