import { Inject, Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ThrottlerGuard, type ThrottlerLimitDetail, type ThrottlerStorage } from '@nestjs/throttler';
import { attachAuthentication, getAuthentication, type IncomingRequest } from '../auth/authentication.js';
import { RunStartBudget, type BudgetState } from './run-start.budget.js';

const MINUTE_MS = 60_000;

/**
 * On every route that starts a run, after `AuthGuard`: refuses with `RATE_LIMITED` and `Retry-After` a principal who is known
 * to have no start left, before anything is read or made. It counts nothing: `RunService.start` does, so that there is no way
 * around it, and each answer says in `X-RateLimit-*` what that has left.
 *
 * A request that may find an earlier run, by its `Idempotency-Key` or the id of its last event, is let through: one that finds
 * none is refused where it is counted.
 */
@Injectable()
export class RunStartThrottlerGuard extends ThrottlerGuard {
  constructor(
    // By name, or the base class's own @Inject for these positions would hold.
    @Inject(RunStartBudget) protected readonly budget: RunStartBudget,
    @Inject(Reflector) reflector: Reflector,
  ) {
    // Any other name would be appended to the headers (`Retry-After-starts`), which no client reads. A block of 0 makes it a
    // sliding window: a refused caller may come back when the oldest start is a minute old, not a minute later.
    const throttler = { name: 'default', ttl: MINUTE_MS, limit: budget.limit, blockDuration: 0 };
    super({ throttlers: [throttler], setHeaders: false }, uncounted, reflector);
  }

  /** True for a request that may repeat an earlier one. */
  protected mayRepeat({ headers, query }: IncomingRequest): boolean {
    const { lastEventId } = (query ?? {}) as { readonly lastEventId?: unknown };
    return Boolean(headers['idempotency-key'] || headers['last-event-id'] || lastEventId);
  }

  protected override async handleRequest({
    context,
    limit,
    ttl,
  }: Parameters<ThrottlerGuard['handleRequest']>[0]): Promise<boolean> {
    const { req, res } = this.getRequestResponse(context) as {
      req: IncomingRequest;
      res: Record<string, unknown>;
    };
    const authentication = getAuthentication(req);
    // An object of this request's own, by which its start finds the way back to its answer.
    const principal = { ...authentication.principal };
    attachAuthentication(req, { ...authentication, principal });
    const seconds = this.mayRepeat(req) ? undefined : this.budget.knownWaitSeconds(principal);
    if (seconds !== undefined) {
      await this.throwThrottlingException(context, {
        limit,
        ttl,
        key: '',
        tracker: '',
        totalHits: limit + 1,
        timeToExpire: seconds,
        isBlocked: true,
        timeToBlockExpire: seconds,
      });
    }
    this.budget.watch(principal, (state) => this.report(res, state));
    return true;
  }

  protected override async throwThrottlingException(
    context: ExecutionContext,
    { limit, timeToBlockExpire }: ThrottlerLimitDetail,
  ): Promise<void> {
    const { res } = this.getRequestResponse(context);
    this.report(res, { limit, remaining: 0, resetSeconds: timeToBlockExpire });
    this.setResponseHeader(res, 'Retry-After', timeToBlockExpire);
    throw this.budget.refusal(timeToBlockExpire);
  }

  private report(res: Record<string, unknown>, { limit, remaining, resetSeconds }: BudgetState): void {
    this.setResponseHeader(res, `${this.headerPrefix}-Limit`, limit);
    this.setResponseHeader(res, `${this.headerPrefix}-Remaining`, remaining);
    this.setResponseHeader(res, `${this.headerPrefix}-Reset`, resetSeconds);
  }
}

/** The base class wants a storage, and asks it nothing here. */
const uncounted: ThrottlerStorage = {
  increment: () => Promise.reject(new Error('A run start is counted by RunService.start.')),
};
