import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { IncomingRequest } from './authentication.js';

/** Resource that a ticket opens: the events of one run, or one file. */
export interface TicketTarget {
  readonly kind: 'run-events' | 'file';
  readonly id: string;
}

export interface TicketRoute {
  readonly kind: TicketTarget['kind'];
  /** The route parameter that has the id. */
  readonly parameter: string;
}

/**
 * On a GET handler: it may be opened with a ticket in `?ticket=`. No other route takes tickets, so that nothing in a URL can do more than read one
 * run's events or one file.
 */
export const AcceptsTicket = Reflector.createDecorator<TicketRoute>();

/** A ticket as it came, unchecked, and what it has to be for. */
export interface OfferedTicket {
  readonly ticket: string;
  readonly target: TicketTarget;
}

/** Undefined when there is none, or when the route takes none. */
export function offeredTicket(context: ExecutionContext): OfferedTicket | undefined {
  const route = Reflect.getMetadata(AcceptsTicket.KEY, context.getHandler()) as TicketRoute | undefined;
  if (route === undefined) return undefined;
  const { kind, parameter } = route;
  const { method, query, params } = context.switchToHttp().getRequest<IncomingRequest>();
  const ticket = textAt(query, 'ticket');
  const id = textAt(params, parameter);
  const isRead = method === 'GET' || (kind === 'file' && method === 'HEAD');
  return isRead && ticket !== undefined && id !== undefined ? { ticket, target: { kind, id } } : undefined;
}

/**
 * True when a request brings a ticket in place of credentials: for a stream, or for a file. For a host's own guard, which may then let it pass: our
 * guard comes after it, checks the ticket, and without a valid one asks `getPrincipal` as for any other request.
 */
export function bringsStreamTicket(context: ExecutionContext): boolean {
  return offeredTicket(context) !== undefined;
}

/** A parameter given once; given twice it is a list, and no text. */
function textAt(parameters: unknown, name: string): string | undefined {
  const value = (parameters as Record<string, unknown> | undefined)?.[name];
  return typeof value === 'string' ? value : undefined;
}
