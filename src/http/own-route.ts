import { SetMetadata, type ExecutionContext } from '@nestjs/common';

// Symbol.for: an application may load two copies of this package, and asks either.
const OWN_ROUTE = Symbol.for('nestjs-agent-stream:route');

/** Marks a handler as one of ours. */
export const OwnRoute = (): MethodDecorator => SetMetadata(OWN_ROUTE, true);

/**
 * True when a request is for a route of this package. For a host's global interceptors that wrap answers: our clients
 * read them as they are.
 */
export function isAgentStreamRoute(context: Pick<ExecutionContext, 'getHandler'>): boolean {
  return Reflect.getMetadata(OWN_ROUTE, context.getHandler()) === true;
}
