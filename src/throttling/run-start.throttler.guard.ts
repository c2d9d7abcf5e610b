import { Inject, Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ThrottlerGuard, type ThrottlerLimitDetail } from '@nestjs/throttler';
import { authOf, type IncomingRequest } from '../auth/authentication.js';
import { AppError } from '../errors.js';
import { principalKey } from './principal-key.js';
import { RunStartCounter } from './run-start.counter.js';
import { THROTTLING_OPTIONS } from './throttling.module-definition.js';
import { limitsOf, type ThrottlingOptions } from './throttling.options.js';

const MINUTE_MS = 60_000;

/**
 * On every route that starts a run, after `AuthGuard`: one budget per principal over all of them. `RATE_LIMITED` with
 * `Retry-After` in seconds; every answer says in `X-RateLimit-*` what is left.
 */
@Injectable()
export class RunStartThrottlerGuard extends ThrottlerGuard {
  constructor(
    @Inject(THROTTLING_OPTIONS) options: ThrottlingOptions,
    // By name, or the base class's own @Inject for this position would hold.
    @Inject(RunStartCounter) counter: RunStartCounter,
    reflector: Reflector,
  ) {
    const limit = limitsOf(options).startsPerMinute;
    // Any other name would be appended to the headers (`Retry-After-starts`), which no client reads. A block of 0 makes it a
    // sliding window: whoever was refused may come back when the oldest start is a minute old, not a minute later.
    super({ throttlers: [{ name: 'default', ttl: MINUTE_MS, limit, blockDuration: 0 }] }, counter, reflector);
  }

  /** A POST that is repeated with the id of its last event goes on with its run, and starts none. */
  protected override async shouldSkip(context: ExecutionContext): Promise<boolean> {
    const { headers, query } = context.switchToHttp().getRequest<IncomingRequest>();
    return Boolean(headers['last-event-id'] || (query as { lastEventId?: unknown } | undefined)?.lastEventId);
  }

  protected override async getTracker(request: Record<string, unknown>): Promise<string> {
    return principalKey(authOf(request).principal);
  }

  /** The tracker alone: the throttler's own key has class and handler in it, and so a budget for each route. */
  protected override generateKey(_context: ExecutionContext, tracker: string): string {
    return `run-start:${tracker}`;
  }

  protected override async throwThrottlingException(
    context: ExecutionContext,
    detail: ThrottlerLimitDetail,
  ): Promise<void> {
    const { res } = this.getRequestResponse(context);
    this.setResponseHeader(res, `${this.headerPrefix}-Limit`, detail.limit);
    this.setResponseHeader(res, `${this.headerPrefix}-Remaining`, 0);
    this.setResponseHeader(res, `${this.headerPrefix}-Reset`, detail.timeToBlockExpire);
    throw new AppError(
      'RATE_LIMITED',
      `At most ${detail.limit} runs can be started per minute. Try again in ${detail.timeToBlockExpire} s.`,
      { retryable: true, details: { retryAfterSeconds: detail.timeToBlockExpire } },
    );
  }
}
