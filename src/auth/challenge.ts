import type { IncomingRequest } from './authentication.js';

/** The `WWW-Authenticate` of a 401 (RFC 6750, section 3): at least one parameter, and an error only when a token was sent. */
export function toChallenge({ headers }: Pick<IncomingRequest, 'headers'>): string {
  return `Bearer realm="agent-stream"${headers.authorization === undefined ? '' : ', error="invalid_token"'}`;
}
