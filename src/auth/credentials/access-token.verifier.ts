import { Logger } from '@nestjs/common';
import {
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JWTHeaderParameters,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import { AppError } from '../../errors.js';
import type { JwtOptions, OidcOptions } from '../auth.options.js';
import type { Authentication, Refusal } from '../authentication.js';
import { jwtSource, type CredentialSource } from '../credential-source.js';
import { toPersonName, toPrincipal } from './claims.js';

const CLOCK_TOLERANCE_S = 5;
const KEY_SET_TIMEOUT_MS = 5_000;

/** Believes or refuses access tokens. It never issues any. */
export class AccessTokenVerifier {
  private readonly logger = new Logger(AccessTokenVerifier.name);
  private readonly key: Uint8Array | JWTVerifyGetKey;
  private readonly algorithms: string[];
  private readonly source: CredentialSource;

  /** @param signIn the provider at which people sign in here: its ID tokens are for this server's sign-in alone */
  constructor(
    private readonly options: JwtOptions,
    private readonly signIn?: Pick<OidcOptions, 'clientId'>,
  ) {
    this.key =
      options.secret === undefined
        ? createRemoteJWKSet(new URL(options.jwksUrl), { timeoutDuration: KEY_SET_TIMEOUT_MS })
        : Buffer.from(options.secret);
    // Always a list of our own: what a token says about its algorithm is the attacker's word (RFC 8725, section 3.1).
    const defaults = options.secret === undefined ? ['RS256', 'PS256', 'ES256', 'EdDSA'] : ['HS256'];
    this.source = jwtSource(options);
    this.algorithms = [...(options.algorithms ?? defaults)];
  }

  /**
   * Returns the principal of a token; undefined if the token is rejected, with the reason in `refusals`.
   * @throws AppError `AUTH_UNAVAILABLE` when the issuer's keys cannot be fetched: nothing is known about the token then
   */
  async verify(token: string, refusals: Refusal[] = []): Promise<Authentication | undefined> {
    const payload = await this.verifyPayload(token, refusals);
    if (!payload) return undefined;
    const principal = toPrincipal(payload, this.options);
    if (!principal) {
      refusals.push({ credential: 'token', reason: 'claims' });
      return undefined;
    }
    const name = toPersonName(payload);
    return {
      principal,
      ...(name !== undefined && { name }),
      via: 'jwt',
      expiresAt: (payload.exp ?? 0) * 1000,
      source: this.source,
    };
  }

  private async verifyPayload(token: string, refusals: Refusal[] = []): Promise<JWTPayload | undefined> {
    const { issuer, audience } = this.options;
    try {
      const { payload, protectedHeader } = await jwtVerify(token, this.key, {
        algorithms: this.algorithms,
        clockTolerance: CLOCK_TOLERANCE_S,
        requiredClaims: ['exp'],
        issuer,
        audience,
      });
      if (!this.isIdToken(payload, protectedHeader)) return payload;
      refusals.push({ credential: 'token', reason: 'id-token' });
      return undefined;
    } catch (error) {
      if (!isRefusal(error))
        throw new AppError(
          'AUTH_UNAVAILABLE',
          'The identity provider cannot be reached. Try again in a moment.',
          {
            cause: error,
            retryable: true,
          },
        );
      this.logger.debug(`Access token refused: ${error.message}`);
      refusals.push({ credential: 'token', reason: toReason(error) });
      return undefined;
    }
  }

  /**
   * True for the ID token of a sign-in here, which has the nonce of that sign-in (OpenID Connect Core, section 3.1.3.7). With one name for the client
   * and for the API, as Entra has by default, its audience is that of access tokens. An access token may say that it is one, by the type of RFC 9068,
   * section 2.1, or as Keycloak does, whose earlier versions write the nonce into it.
   */
  private isIdToken(payload: JWTPayload, { typ }: JWTHeaderParameters): boolean {
    if (!this.signIn || payload['nonce'] === undefined || payload['typ'] === 'Bearer') return false;
    return (
      [payload.aud].flat().includes(this.signIn.clientId) && !/^(?:application\/)?at\+jwt$/i.test(typ ?? '')
    );
  }
}

/** The token is at fault. A network error, a time-out or a reply without a key set is the issuer's fault. */
function isRefusal(error: unknown): error is errors.JOSEError {
  return (
    error instanceof errors.JOSEError &&
    error.code !== errors.JOSEError.code &&
    !(error instanceof errors.JWKSTimeout) &&
    !(error instanceof errors.JWKSInvalid)
  );
}

/** A stable word for the log. Claims are looked at only once the signature holds. */
function toReason(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed) return 'claims';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'bad-signature';
  if (error instanceof errors.JWKSNoMatchingKey) return 'unknown-key';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'algorithm';
  return 'malformed';
}
