import { PassportStrategy } from '@nestjs/passport';
import passport from 'passport';
import type { IncomingHttpHeaders } from 'node:http';
import type { Authentication, Refusal } from '../authentication.js';

/** The parts of a request that a strategy reads: see PassportAuthenticator. */
export interface CredentialRequest {
  readonly headers: IncomingHttpHeaders;
  readonly protocol?: string;
  /** Is told what came and was not believed. */
  readonly refusals?: Refusal[];
}

/** A registry of strategies, as `new passport.Passport()` makes it. */
export type Passport = InstanceType<typeof passport.Passport>;

type Done = (error: unknown, authentication?: Authentication | null) => void;

/** The Passport side: take one credential out of the request, have it verified. */
class HeaderStrategy extends passport.Strategy {
  constructor(
    override readonly name: string,
    readonly registry: Passport,
    private readonly readCredential: (request: CredentialRequest) => string | undefined,
    private readonly verify: (credential: string, request: CredentialRequest, done: Done) => void,
  ) {
    super();
  }

  override authenticate(request: CredentialRequest): void {
    const credential = this.readCredential(request);
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
export abstract class CredentialStrategy extends PassportStrategy(HeaderStrategy) {
  abstract override validate(
    credential: string,
    request: CredentialRequest,
  ): Authentication | undefined | Promise<Authentication | undefined>;

  /** Instead of Passport's one global registry, where a host's or a second instance's `jwt` would replace ours. */
  getPassportInstance(): Passport {
    return this.registry;
  }
}
