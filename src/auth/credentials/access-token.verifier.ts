import { Logger } from '@nestjs/common';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { AppError } from '../../errors.js';
import type { JwtOptions } from '../auth.options.js';
import type { Authentication } from '../authentication.js';
import { principalOfClaims } from './claims.js';

const CLOCK_TOLERANCE_S = 5;
const KEY_SET_TIMEOUT_MS = 5_000;

/** Believes or refuses access tokens. It never issues any. */
export class AccessTokenVerifier {
  private readonly logger = new Logger(AccessTokenVerifier.name);
  private readonly key: Uint8Array | JWTVerifyGetKey;
  private readonly algorithms: string[];

  constructor(private readonly options: JwtOptions) {
    this.key =
      options.secret === undefined
        ? createRemoteJWKSet(new URL(options.jwksUrl), { timeoutDuration: KEY_SET_TIMEOUT_MS })
        : Buffer.from(options.secret);
    // Always a list of our own: what a token says about its algorithm is the attacker's word (RFC 8725, section 3.1).
    const defaults = options.secret === undefined ? ['RS256', 'PS256', 'ES256', 'EdDSA'] : ['HS256'];
    this.algorithms = [...(options.algorithms ?? defaults)];
  }

  /**
   * Who the token stands for; undefined when it is not believed.
   * @throws AppError `AUTH_UNAVAILABLE` when the issuer's keys cannot be fetched: nothing is known about the token then
   */
  async verify(token: string): Promise<Authentication | undefined> {
    const payload = await this.payloadOf(token);
    const principal = payload && principalOfClaims(payload, this.options);
    if (!payload || !principal) return undefined;
    return { principal, via: 'jwt', expiresAt: (payload.exp ?? 0) * 1000 };
  }

  private async payloadOf(token: string): Promise<JWTPayload | undefined> {
    const { issuer, audience } = this.options;
    try {
      const { payload } = await jwtVerify(token, this.key, {
        algorithms: this.algorithms,
        clockTolerance: CLOCK_TOLERANCE_S,
        requiredClaims: ['exp'],
        issuer,
        audience,
      });
      return payload;
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
      return undefined;
    }
  }
}

/** The token is at fault. A network error, a time-out or an answer that is no key set is the issuer's. */
function isRefusal(error: unknown): error is errors.JOSEError {
  return (
    error instanceof errors.JOSEError &&
    error.code !== errors.JOSEError.code &&
    !(error instanceof errors.JWKSTimeout) &&
    !(error instanceof errors.JWKSInvalid)
  );
}
