import { decodeProtectedHeader, errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Principal } from '../principal.js';
import type { CredentialSource } from './credential-source.js';
import type { SigningKey, SigningKeys } from './signing-key.js';

/** A signed statement of ours, and until when it is believed (milliseconds since the epoch). */
export interface SignedPrincipal {
  readonly token: string;
  readonly expiresAt: number;
}

/** A principal as our own token carries it. */
export interface CarriedPrincipal {
  readonly principal: Principal;
  /** Name of the person, for people to read. */
  readonly name?: string;
  /** Time when the original credentials end, in milliseconds since the epoch; absent if they do not. */
  readonly expiresAt?: number;
  /** The credential that proved the principal. */
  readonly source: CredentialSource;
  /** The session that it is, or was made in. */
  readonly sessionId?: string;
  /** The marks that stood when it was made: see SessionEndings. */
  readonly marks?: readonly string[];
}

const Claims = z.object({
  sub: z.string(),
  tenant: z.string(),
  roles: z.array(z.string()),
  name: z.string().optional(),
  /** Time when the credentials end, in milliseconds since the epoch. */
  until: z.number().optional(),
  /** The fingerprint of the source. */
  src: z.string(),
  sid: z.string().optional(),
  marks: z.array(z.string()).optional(),
});

/** Reason to reject one of our tokens. */
export type TokenRefusal =
  'malformed' | 'unknown-key' | 'bad-signature' | 'expired' | 'other-purpose' | 'credential-removed';

/**
 * Signs principals and reads them back: the shared half of stream tickets and sessions. Each purpose has its own key and
 * `typ`, so that tickets, sessions and access tokens cannot stand for each other.
 */
export class PrincipalToken {
  private readonly typ: string;
  /** The source of each fingerprint, by key. */
  private readonly fingerprints = new WeakMap<SigningKey, ReadonlyMap<string, CredentialSource>>();

  /** @param sources those that are believed now: a token that was made from another one is not */
  constructor(
    private readonly keys: SigningKeys,
    private readonly sources: readonly CredentialSource[],
    private readonly purpose: 'stream-ticket' | 'session',
    private readonly ttlMs: number,
  ) {
    this.typ = `${purpose}+jwt`;
  }

  /** Believed for the time to live, yet never longer than the credentials. `audience` is what it is good for. */
  async sign(carried: CarriedPrincipal, audience: string): Promise<SignedPrincipal> {
    const { principal, name, expiresAt: until, source, sessionId: sid, marks } = carried;
    const key = await this.keys.current();
    const seconds = Math.floor(Math.min(Date.now() + this.ttlMs, until ?? Infinity) / 1000);
    const { tenant, roles } = principal;
    const token = await new SignJWT({
      tenant,
      roles: [...roles],
      name,
      until,
      sid,
      marks,
      src: key.fingerprint(source),
    })
      .setProtectedHeader({ alg: 'HS256', typ: this.typ, kid: key.id })
      .setSubject(principal.userId)
      .setAudience(audience)
      .setExpirationTime(seconds)
      .sign(key.forPurpose(this.purpose));
    return { token, expiresAt: seconds * 1000 };
  }

  /** Returns what it carries, or why it is not believed. */
  async verify(
    token: string,
    audience: string,
  ): Promise<(CarriedPrincipal & { readonly tokenExpiresAt: number }) | TokenRefusal> {
    const kid = readKeyName(token);
    const key = kid === undefined ? undefined : await this.keys.find(kid);
    if (!key) return 'unknown-key';
    try {
      const { payload } = await jwtVerify(token, key.forPurpose(this.purpose), {
        algorithms: ['HS256'],
        typ: this.typ,
        audience,
        requiredClaims: ['exp'],
      });
      const { sub: userId, tenant, roles, name, until, src, sid, marks } = Claims.parse(payload);
      const source = this.fingerprintSources(key).get(src);
      if (source === undefined) return 'credential-removed';
      return {
        principal: { userId, tenant, roles },
        source,
        ...(name !== undefined && { name }),
        tokenExpiresAt: (payload.exp ?? 0) * 1000,
        ...(until !== undefined && { expiresAt: until }),
        ...(sid !== undefined && { sessionId: sid }),
        ...(marks && { marks }),
      };
    } catch (error) {
      return toRefusal(error);
    }
  }

  private fingerprintSources(key: SigningKey): ReadonlyMap<string, CredentialSource> {
    const known = this.fingerprints.get(key);
    if (known) return known;
    const sources = new Map(this.sources.map((source) => [key.fingerprint(source), source]));
    this.fingerprints.set(key, sources);
    return sources;
  }
}

function readKeyName(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid;
  } catch {
    return undefined;
  }
}

function toRefusal(error: unknown): TokenRefusal {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'bad-signature';
  if (error instanceof errors.JWTClaimValidationFailed) return 'other-purpose';
  return 'malformed';
}
