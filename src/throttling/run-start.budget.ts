import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import type { Owner } from '../principal.js';
import { StartBudget } from '../runs/start.budget.js';
import { principalKey } from './principal-key.js';
import { RunStartCounter } from './run-start.counter.js';
import { THROTTLING_OPTIONS } from './throttling-module-definition.js';
import { toLimits, type ThrottlingOptions } from './throttling.options.js';

const MINUTE_MS = 60_000;

/** Principals that are known to have nothing left, before those whose minute is over are forgotten. */
const KNOWN_EXHAUSTED = 10_000;

/** The rest of a principal's budget, as `X-RateLimit-*` report it. */
export interface BudgetState {
  readonly limit: number;
  readonly remaining: number;
  /** Until the oldest start that counts is a minute old. */
  readonly resetSeconds: number;
}

/**
 * The budget of run starts: so many in any 60 seconds for each principal, over all routes and from code. The count is the
 * counter's, in one round trip for each start; what this process has learned of it lets a guard refuse without one.
 */
@Injectable()
export class RunStartBudget extends StartBudget {
  readonly limit: number;
  /** By principal, when it was seen that nothing is left, and for how long. */
  private readonly exhausted = new Map<string, { readonly seenAt: number; readonly waitMs: number }>();
  private readonly watchers = new WeakMap<Owner, (state: BudgetState) => void>();

  constructor(
    @Inject(THROTTLING_OPTIONS) options: ThrottlingOptions,
    private readonly counter: RunStartCounter,
  ) {
    super();
    this.limit = toLimits(options).startsPerMinute;
  }

  override async take(principal: Owner): Promise<void> {
    const { limit } = this;
    const key = toKey(principal);
    const counted = await this.counter.increment(key, MINUTE_MS, limit, 0, 'default');
    const { totalHits, timeToExpire, isBlocked, timeToBlockExpire } = counted;
    const resetSeconds = isBlocked ? timeToBlockExpire : timeToExpire;
    if (totalHits >= limit) this.noteExhausted(key, resetSeconds);
    this.watchers.get(principal)?.({ limit, remaining: Math.max(0, limit - totalHits), resetSeconds });
    if (isBlocked) throw this.refusal(resetSeconds);
  }

  override giveBack(principal: Owner): void {
    const key = toKey(principal);
    this.exhausted.delete(key);
    // What cannot be given back counts for a minute.
    this.counter.giveBack(key).catch(() => undefined);
  }

  /** Seconds until this principal may start again; undefined unless this process knows that nothing is left. */
  knownWaitSeconds(principal: Owner): number | undefined {
    const exhausted = this.exhausted.get(toKey(principal));
    const waitMs = exhausted ? remainingMs(exhausted, performance.now()) : 0;
    return waitMs > 0 ? Math.ceil(waitMs / 1000) : undefined;
  }

  /** Tells `report` what is left whenever something is taken for this very object. */
  watch(principal: Owner, report: (state: BudgetState) => void): void {
    this.watchers.set(principal, report);
  }

  refusal(retryAfterSeconds: number): AppError {
    return new AppError(
      'RATE_LIMITED',
      `At most ${this.limit} runs can be started per minute. Try again in ${retryAfterSeconds} s.`,
      { retryable: true, details: { retryAfterSeconds } },
    );
  }

  private noteExhausted(key: string, seconds: number): void {
    const now = performance.now();
    if (this.exhausted.size >= KNOWN_EXHAUSTED) {
      for (const [known, exhausted] of this.exhausted)
        if (remainingMs(exhausted, now) <= 0) this.exhausted.delete(known);
    }
    this.exhausted.set(key, { seenAt: now, waitMs: seconds * 1000 });
  }
}

/** Never above `waitMs`, which `seenAt + waitMs - now` may be by the rounding of a sum. */
function remainingMs({ seenAt, waitMs }: { seenAt: number; waitMs: number }, now: number): number {
  return waitMs - (now - seenAt);
}

function toKey(principal: Owner): string {
  return `run-start:${principalKey(principal)}`;
}
