import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { IncomingRequest } from './authentication.js';

/**
 * On a GET handler: it may be opened with a stream ticket in `?ticket=`. The value is the route parameter that holds the run's
 * id. No other route takes tickets, so that nothing in a URL can do more than read one run's events.
 */
export const AcceptsTicket = Reflector.createDecorator<string>();

/** A ticket as it came, unchecked, and the run that it has to be for. */
export interface OfferedTicket {
  readonly ticket: string;
  readonly runId: string;
}

/** Undefined when there is none, or when the route takes none. */
export function offeredTicket(context: ExecutionContext): OfferedTicket | undefined {
  const parameter = Reflect.getMetadata(AcceptsTicket.KEY, context.getHandler()) as string | undefined;
  if (parameter === undefined) return undefined;
  const { method, query, params } = context.switchToHttp().getRequest<IncomingRequest>();
  const ticket = textAt(query, 'ticket');
  const runId = textAt(params, parameter);
  return method === 'GET' && ticket !== undefined && runId !== undefined ? { ticket, runId } : undefined;
}

/**
 * True when a request brings a stream ticket in place of credentials. For a host's own guard, which may then let it pass: our
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
