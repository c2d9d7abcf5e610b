import { HttpException } from '@nestjs/common';
import { attachedAuthentication } from '../auth/authentication.js';
import { AppError } from '../errors.js';
import { callerAddress, type AddressedRequest } from '../security/caller-address.js';
import type { SecurityEvent } from '../security/security-event.js';
import { toProblem } from './problem.js';

/** The parts of a refused request that are read. */
interface RefusedRequest extends AddressedRequest {
  readonly method?: string;
  readonly url?: string;
  readonly originalUrl?: string;
}

/** A refused caller, its address, and the subject of its request. */
export type Refused = Pick<SecurityEvent, 'principal' | 'address' | 'subject'>;

/** Returns what is known of a request that was refused. */
export function describeRefused(request: RefusedRequest): Refused {
  const principal = attachedAuthentication(request)?.principal;
  const address = callerAddress(request);
  return {
    ...(principal && { principal }),
    ...(address !== undefined && { address }),
    subject: `${request.method} ${getPath(request)}`,
  };
}

/**
 * Returns the security event that an error answers a request with; undefined for those that tell nothing of their caller, and for
 * refused credentials, which authentication has recorded with its reason.
 */
export function toSecurityEvent(error: unknown, refused: Refused): SecurityEvent | undefined {
  const code = secretCode(error) ?? toProblem(error).code;
  switch (code) {
    case 'ORIGIN_REFUSED':
      return { type: 'origin-refused', ...refused, reason: code };
    case 'FORBIDDEN':
      return { type: 'access-refused', ...refused, reason: code };
    case 'UNAUTHENTICATED':
      // A guard of the host's: ours throws an AppError.
      return error instanceof HttpException
        ? { type: 'credentials-refused', ...refused, reason: 'host' }
        : undefined;
    case 'RATE_LIMITED':
      // Without a principal it was the brake on wrong credentials.
      return refused.principal && { type: 'limit-reached', ...refused, reason: code };
    case 'TOO_MANY_STREAMS':
    case 'TOO_MANY_DELAYED':
    case 'REQUEST_TOO_LARGE':
      return { type: 'limit-reached', ...refused, reason: code };
    default:
      return undefined;
  }
}

/** An error may have a cause that its caller is not told: that something exists, yet not for them. */
function secretCode(error: unknown): string | undefined {
  if (!(error instanceof AppError)) return undefined;
  const { cause } = error.options;
  return cause instanceof AppError && cause.code === 'FORBIDDEN' ? cause.code : undefined;
}

/** Without its query, which may hold a ticket. */
function getPath({ originalUrl, url = '/' }: RefusedRequest): string {
  return (originalUrl ?? url).replace(/[?#].*$/s, '');
}
