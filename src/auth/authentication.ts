import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';
import { identity, merge, takeUntil, timer, type MonoTypeOperatorFunction, type Observable } from 'rxjs';
import type { Principal } from '../principal.js';
import { callerAddress, rememberAddress } from '../security/caller-address.js';
import type { CredentialSource } from './credential-source.js';

/** The caller: its principal, the proof, and the time for which it holds. */
export interface Authentication {
  readonly principal: Principal;
  readonly via: 'local' | 'host' | 'jwt' | 'oidc' | 'api-key' | 'session' | 'ticket';
  /** Name of the person, for people to read. Absent if the credentials do not tell it. */
  readonly name?: string;
  /** Time when the credentials end, in milliseconds since the epoch: a stream is cut then. Absent: they do not end. */
  readonly expiresAt?: number;
  /** The credential that proved it, here or at the sign-in. */
  readonly source: CredentialSource;
  /** Of a session, and of a ticket: what they can be ended by. */
  readonly session?: { readonly id?: string; readonly marks: readonly string[] };
  /** Emits when somebody ends the session: a stream is cut then. Absent: it cannot be ended. */
  readonly ended?: Observable<unknown>;
}

/** A credential that came with a request and was rejected, with the reason. Never holds the credential. */
export interface Refusal {
  readonly credential: 'token' | 'api-key' | 'session' | 'ticket';
  /** A stable word, such as `expired`. */
  readonly reason: string;
}

/** The parts of a request that authentication reads. Requests of Express and Fastify both fit. */
export interface IncomingRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly query?: unknown;
  readonly params?: unknown;
  /** `http` or `https`, as the framework sees it; behind a proxy that needs its `trust proxy` setting. */
  readonly protocol?: string;
  /** The caller's address, as the framework's `trust proxy` setting has it. */
  readonly ip?: string;
}

// A symbol, because a host's own middleware may use request.user and request.auth for itself.
const AUTHENTICATION = Symbol('authentication');

type AuthenticatedRequest = object & { [AUTHENTICATION]?: Authentication };

/** Says who asks, for everything after the guard. */
export function attachAuthentication(request: object, authentication: Authentication): void {
  rememberAddress(authentication.principal, callerAddress(request));
  (request as AuthenticatedRequest)[AUTHENTICATION] = authentication;
}

/** Returns the caller; undefined before `AuthGuard`, on routes without it, and for callers that it has refused. For logs. */
export function attachedAuthentication(request: object): Authentication | undefined {
  return (request as AuthenticatedRequest)[AUTHENTICATION];
}

/** Returns the caller that `AuthGuard` has found. On a route without that guard it throws, so that no caller is let through by mistake. */
export function getAuthentication(request: object): Authentication {
  const authentication = attachedAuthentication(request);
  if (!authentication)
    throw new Error('This route has no AuthGuard before it: bind AuthGuard first with UseGuards.');
  return authentication;
}

/** A handler's parameter: the principal that `AuthGuard` found. */
export const CurrentPrincipal = createParamDecorator(
  (_: unknown, context: ExecutionContext): Principal =>
    getAuthentication(context.switchToHttp().getRequest<object>()).principal,
);

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Ends a stream when the credentials of its reader do, or are ended: a guard runs only when a stream opens. */
export function untilExpiry<T>({ expiresAt, ended }: Authentication): MonoTypeOperatorFunction<T> {
  const remainingMs = expiresAt === undefined ? Infinity : expiresAt - Date.now();
  // A longer timer would fire at once; no connection lives for the 24 days of the longest.
  const ends = [
    ...(remainingMs > LONGEST_TIMER_MS ? [] : [timer(Math.max(0, remainingMs))]),
    ...(ended ? [ended] : []),
  ];
  return ends.length === 0 ? identity : takeUntil(merge(...ends));
}
