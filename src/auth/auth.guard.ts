import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AppError } from '../errors.js';
import { offeredTicket } from './accepts-ticket.decorator.js';
import { attachAuthentication, type Authentication, type IncomingRequest } from './authentication.js';
import { Authenticator } from './authenticator.js';
import { challengeFor } from './challenge.js';
import { StreamTicketService } from './stream-ticket.service.js';

/**
 * Nobody passes unknown: finds out who asks, by whichever kind is configured, and attaches it for `authOf`. Bind it before
 * the throttling guards. `UNAUTHENTICATED` (with `WWW-Authenticate`), `ORIGIN_REFUSED`, `AUTH_UNAVAILABLE`.
 */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly tickets: StreamTicketService,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<IncomingRequest>();
    const authentication = (await this.byTicket(context)) ?? (await this.authenticator.authenticate(request));
    if (!authentication) throw this.unauthenticated(request, context);
    attachAuthentication(request, authentication);
    return true;
  }

  private async byTicket(context: ExecutionContext): Promise<Authentication | undefined> {
    const offered = offeredTicket(context);
    return offered && this.tickets.verify(offered.ticket, offered.runId);
  }

  private unauthenticated(request: IncomingRequest, context: ExecutionContext): AppError {
    const response = context.switchToHttp().getResponse<unknown>();
    this.adapterHost.httpAdapter.setHeader(response, 'WWW-Authenticate', challengeFor(request));
    return new AppError('UNAUTHENTICATED', 'Sign in, or send a valid bearer token or API key.');
  }
}
