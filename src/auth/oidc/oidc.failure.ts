import { AppError } from '../../errors.js';

/** Reason why a sign-in failed, as the page is told it. */
export type OidcFailureReason =
  /** The person, or the provider, said no. */
  | 'denied'
  /** The sign-in took too long, was begun elsewhere, or is over already. */
  | 'expired'
  /** The provider cannot be reached. */
  | 'unavailable'
  /** The provider answered with something that is not believed, or refused this server. */
  | 'failed'
  /** The provider says who it is, in claims that name no user here. */
  | 'claims';

/** A sign-in at a provider that came to nothing. */
export class OidcFailure extends Error {
  constructor(
    readonly reason: OidcFailureReason,
    options?: ErrorOptions,
  ) {
    super(`The sign-in at the provider failed: ${reason}.`, options);
  }
}

/** Errors of an authorization response (RFC 6749, section 4.1.2.1) that do not mean that something is set up wrongly. */
const RESPONSES: Readonly<Record<string, OidcFailureReason>> = {
  access_denied: 'denied',
  temporarily_unavailable: 'unavailable',
  server_error: 'unavailable',
};

/** Turns an error of openid-client into the reason why a sign-in failed. Errors are told apart by their codes and not by their classes, which come with a package that may be absent. */
export function toOidcFailure(error: unknown): OidcFailure {
  return error instanceof OidcFailure ? error : new OidcFailure(toReason(error), { cause: error });
}

function toReason(error: unknown): OidcFailureReason {
  // Of ours: too many wrong codes, or a storage that fails.
  if (error instanceof AppError || !(error instanceof Error)) return 'unavailable';
  const { code, error: told, status } = error as Error & { code?: string; error?: string; status?: number };
  // Without a code: of fetch, for an answer that did not come.
  if (code === undefined || code === 'OAUTH_TIMEOUT' || code === 'OAUTH_ABORT') return 'unavailable';
  if (code === 'OAUTH_AUTHORIZATION_RESPONSE_ERROR') return RESPONSES[told ?? ''] ?? 'failed';
  if (told === 'invalid_grant') return 'expired';
  const answer = status ?? (error.cause as { status?: unknown } | undefined)?.status;
  if (typeof answer === 'number' && answer >= 500) return 'unavailable';
  return 'failed';
}
