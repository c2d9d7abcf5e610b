import type { LocalAuthOptions } from './auth.options.js';
import type { Authentication, IncomingRequest } from './authentication.js';
import { CredentialReader } from './authenticator.js';
import { LOCAL_SOURCE } from './credential-source.js';
import { assertLocalCaller } from './origin.js';

const EVERY_ROLE = '*';

/** No auth configured: every caller that reaches this machine's loopback is the development principal. */
export class LocalCredentialReader extends CredentialReader {
  private readonly authentication: Authentication;

  constructor(private readonly options: LocalAuthOptions) {
    super();
    const principal = { userId: 'local', tenant: 'local', roles: options.roles ?? [EVERY_ROLE] };
    this.authentication = { principal, via: 'local', source: LOCAL_SOURCE };
  }

  override async read(request: IncomingRequest): Promise<Authentication> {
    assertLocalCaller(request, this.options.allowedOrigins);
    return this.authentication;
  }
}
