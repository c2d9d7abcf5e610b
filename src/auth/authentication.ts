import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';
import { identity, takeUntil, timer, type MonoTypeOperatorFunction } from 'rxjs';
import type { Principal } from '../principal.js';

/** Who asks, how that was proved, and for how long it holds. */
export interface Authentication {
  readonly principal: Principal;
  readonly via: 'local' | 'host' | 'jwt' | 'api-key' | 'session' | 'ticket';
  /** When the credentials end, in milliseconds since the epoch: a stream is cut then. Absent: they do not end. */
  readonly expiresAt?: number;
}

/** What authentication reads of a request; those of Express and Fastify both fit. */
export interface IncomingRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly query?: unknown;
  readonly params?: unknown;
  /** `http` or `https`, as the framework sees it; behind a proxy that needs its `trust proxy` setting. */
  readonly protocol?: string;
}

// A symbol, because a host's own middleware may use request.user and request.auth for itself.
const AUTHENTICATION = Symbol('authentication');

type AuthenticatedRequest = object & { [AUTHENTICATION]?: Authentication };

/** Says who asks, for everything after the guard. */
export function attachAuthentication(request: object, authentication: Authentication): void {
  (request as AuthenticatedRequest)[AUTHENTICATION] = authentication;
}

/** Who asks, as `AuthGuard` found. On a route without that guard it throws: nobody is let through by mistake. */
export function authOf(request: object): Authentication {
  const authentication = (request as AuthenticatedRequest)[AUTHENTICATION];
  if (!authentication)
    throw new Error('This route has no AuthGuard before it: bind AuthGuard first with UseGuards.');
  return authentication;
}

/** A handler's parameter: the principal that `AuthGuard` found. */
export const CurrentPrincipal = createParamDecorator(
  (_: unknown, context: ExecutionContext): Principal =>
    authOf(context.switchToHttp().getRequest<object>()).principal,
);

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Ends a stream when the credentials of its reader do: a guard runs only when a stream opens. */
export function untilExpiry<T>({ expiresAt }: Authentication): MonoTypeOperatorFunction<T> {
  const left = expiresAt === undefined ? Infinity : expiresAt - Date.now();
  // A longer timer would fire at once; no connection lives for the 24 days of the longest.
  return left > LONGEST_TIMER_MS ? identity : takeUntil(timer(Math.max(0, left)));
}
