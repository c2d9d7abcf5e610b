import { PassportStrategy } from '@nestjs/passport';
import passport from 'passport';
import type { IncomingHttpHeaders } from 'node:http';
import type { Authentication } from '../authentication.js';

/** What a strategy sees of a request: see PassportAuthenticator. */
export interface CredentialRequest {
  readonly headers: IncomingHttpHeaders;
}

/** A registry of strategies, as `new passport.Passport()` makes it. */
export type Passport = InstanceType<typeof passport.Passport>;

type Done = (error: unknown, authentication?: Authentication | null) => void;

/** The Passport side: take one credential out of the request, have it verified. */
class CredentialReader extends passport.Strategy {
  constructor(
    override readonly name: string,
    readonly registry: Passport,
    private readonly credentialOf: (request: CredentialRequest) => string | undefined,
    private readonly verify: (credential: string, request: CredentialRequest, done: Done) => void,
  ) {
    super();
  }

  override authenticate(request: CredentialRequest): void {
    const credential = this.credentialOf(request);
    if (credential === undefined) return this.fail();
    this.verify(credential, request, (error, authentication) => {
      if (error) this.error(error);
      else if (authentication) this.success(authentication);
      else this.fail();
    });
  }
}

/**
 * The Nest side: a strategy is a name, where its credential is (undefined: not in this request, ask the next strategy), and
 * `validate`, which says who the credential stands for. It puts itself into the given registry.
 */
export abstract class CredentialStrategy extends PassportStrategy(CredentialReader) {
  abstract override validate(
    credential: string,
    request: CredentialRequest,
  ): Authentication | undefined | Promise<Authentication | undefined>;

  /** Instead of Passport's one global registry, where a host's or a second instance's `jwt` would replace ours. */
  getPassportInstance(): Passport {
    return this.registry;
  }
}
