import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AppError } from '../errors.js';
import { offeredTicket } from './accepts-ticket.decorator.js';
import { attachAuthentication, type IncomingRequest } from './authentication.js';
import { Authenticator } from './authenticator.js';
import { toChallenge } from './challenge.js';

/**
 * Lets only known callers pass: authenticates by the configured kind, and attaches the caller for `getAuthentication`. Bind it before
 * the throttling guards. `UNAUTHENTICATED` (with `WWW-Authenticate`), `ORIGIN_REFUSED`, `AUTH_UNAVAILABLE`, `RATE_LIMITED`.
 */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<IncomingRequest>();
    const authentication = await this.authenticator.authenticate(request, {
      ticket: offeredTicket(context),
      required: true,
    });
    if (!authentication) throw this.unauthenticated(request, context);
    attachAuthentication(request, authentication);
    return true;
  }

  private unauthenticated(request: IncomingRequest, context: ExecutionContext): AppError {
    const response = context.switchToHttp().getResponse<unknown>();
    this.adapterHost.httpAdapter.setHeader(response, 'WWW-Authenticate', toChallenge(request));
    return new AppError('UNAUTHENTICATED', 'Sign in, or send a valid bearer token or API key.');
  }
}
