import type { HostAuthOptions } from './auth.options.js';
import type { Authentication, IncomingRequest } from './authentication.js';
import { Authenticator } from './authenticator.js';

/** Embedded: the host's function says who asks. */
export class HostAuthenticator extends Authenticator {
  constructor(private readonly options: HostAuthOptions) {
    super();
  }

  override async authenticate(request: IncomingRequest): Promise<Authentication | undefined> {
    const principal = await this.options.principalOf(request);
    return principal && { principal, via: 'host', expiresAt: this.options.expiresAtOf?.(request) };
  }
}
