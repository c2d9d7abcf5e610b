import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { HttpAdapterHost, Reflector } from '@nestjs/core';
import { AppError } from '../errors.js';
import { AcceptsTicket } from './accepts-ticket.decorator.js';
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
    private readonly reflector: Reflector,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<IncomingRequest>();
    const authentication =
      (await this.byTicket(request, context)) ?? (await this.authenticator.authenticate(request));
    if (!authentication) throw this.unauthenticated(request, context);
    attachAuthentication(request, authentication);
    return true;
  }

  private async byTicket(
    request: IncomingRequest,
    context: ExecutionContext,
  ): Promise<Authentication | undefined> {
    const parameter = this.reflector.get(AcceptsTicket, context.getHandler());
    const ticket = textAt(request.query, 'ticket');
    if (parameter === undefined || ticket === undefined || request.method !== 'GET') return undefined;
    const runId = textAt(request.params, parameter);
    return runId === undefined ? undefined : this.tickets.verify(ticket, runId);
  }

  private unauthenticated(request: IncomingRequest, context: ExecutionContext): AppError {
    const response = context.switchToHttp().getResponse<unknown>();
    this.adapterHost.httpAdapter.setHeader(response, 'WWW-Authenticate', challengeFor(request));
    return new AppError('UNAUTHENTICATED', 'Sign in, or send a valid bearer token or API key.');
  }
}

/** A parameter given once; given twice it is a list, and no text. */
function textAt(parameters: unknown, name: string): string | undefined {
  const value = (parameters as Record<string, unknown> | undefined)?.[name];
  return typeof value === 'string' ? value : undefined;
}
