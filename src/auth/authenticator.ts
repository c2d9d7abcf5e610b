import type { OfferedTicket } from './accepts-ticket.decorator.js';
import type { Authentication, IncomingRequest, Refusal } from './authentication.js';

/** The port of authentication: from a request to who asks. */
export abstract class Authenticator {
  /**
   * Returns the caller; undefined if no valid credentials came with the request.
   *
   * @param options `ticket`: where the route takes one; it goes before all other credentials. `required`: a request without any
   *   credentials is recorded as refused. Default false
   * @throws AppError `ORIGIN_REFUSED` when the credentials would be good, but came from a web page of somebody else
   * @throws AppError `AUTH_UNAVAILABLE` when the issuer's keys cannot be had, so that nothing can be said
   * @throws AppError `RATE_LIMITED` when too many wrong credentials have come from there
   */
  abstract authenticate(
    request: IncomingRequest,
    options?: AuthenticateOptions,
  ): Promise<Authentication | undefined>;
}

export interface AuthenticateOptions {
  readonly ticket?: OfferedTicket;
  readonly required?: boolean;
}

/** Looks at the credentials of one kind of `AuthOptions`; the kind picks the adapter. */
export abstract class CredentialReader {
  /** As `Authenticator` does. `refusals` is told what came and was not believed. */
  abstract read(request: IncomingRequest, refusals: Refusal[]): Promise<Authentication | undefined>;
}
