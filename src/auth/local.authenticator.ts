import type { LocalAuthOptions } from './auth.options.js';
import type { Authentication, IncomingRequest } from './authentication.js';
import { Authenticator } from './authenticator.js';
import { assertLocalCaller } from './origin.js';

const EVERY_ROLE = '*';

/** No auth configured: whoever can reach this machine's loopback is the development principal. */
export class LocalAuthenticator extends Authenticator {
  private readonly authentication: Authentication;

  constructor(private readonly options: LocalAuthOptions) {
    super();
    const principal = { userId: 'local', tenant: 'local', roles: options.roles ?? [EVERY_ROLE] };
    this.authentication = { principal, via: 'local' };
  }

  override async authenticate(request: IncomingRequest): Promise<Authentication> {
    assertLocalCaller(request, this.options.allowedOrigins);
    return this.authentication;
  }
}
