import type { Authentication, IncomingRequest } from './authentication.js';

/** The port of authentication: from a request to who asks. The kind in `AuthOptions` picks the adapter. */
export abstract class Authenticator {
  /**
   * Who asks; undefined when no valid credentials came with the request.
   * @throws AppError `ORIGIN_REFUSED` when the credentials would be good, but came from a web page of somebody else
   * @throws AppError `AUTH_UNAVAILABLE` when the issuer's keys cannot be had, so that nothing can be said
   */
  abstract authenticate(request: IncomingRequest): Promise<Authentication | undefined>;
}
