import type { Principal } from '../principal.js';
import type { HostAuthOptions } from './auth.options.js';
import type { Authentication, IncomingRequest } from './authentication.js';
import { CredentialReader } from './authenticator.js';
import { HOST_SOURCE } from './credential-source.js';

/** Embedded: the host's function says who asks. */
export class HostCredentialReader extends CredentialReader {
  constructor(private readonly options: HostAuthOptions) {
    super();
  }

  override async read(request: IncomingRequest): Promise<Authentication | undefined> {
    const principal = await this.options.getPrincipal(request);
    if (!principal) return undefined;
    const expiresAt = this.options.getExpiresAt?.(request);
    return { principal: ofThisRequest(principal), via: 'host', expiresAt, source: HOST_SOURCE };
  }
}

/** A host may return the same object each time; what is known of a request must not be taken for another's. */
function ofThisRequest(principal: Principal): Principal {
  return Object.getPrototypeOf(principal) === Object.prototype ? { ...principal } : principal;
}
