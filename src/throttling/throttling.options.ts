import { AppError } from '../errors.js';
import type { OpenStreams } from './open-streams.js';
import type { ReadLimits } from './read-slots.js';
import type { RunStartCounter } from './run-start.counter.js';

/** Limits of one principal. Counted per tenant and user, not per address, credential or route. */
export interface ThrottlingOptions {
  /**
   * Runs that one principal may start in any 60 seconds, over all routes that start runs and from code. Default 60; beyond it
   * `RATE_LIMITED`. A start that is refused counts too; one that finds an earlier run does not.
   */
  readonly startsPerMinute?: number;
  /** Event streams that one principal may hold open at once. Default 20; beyond it `TOO_MANY_STREAMS`. */
  readonly maxOpenStreams?: number;
  /**
   * Reads of logs and threads at work at once, in this process; more of them wait, and `RATE_LIMITED` beyond. Default: 2 of a
   * principal and 6 in all, and 30 of a principal that wait.
   */
  readonly reads?: Partial<ReadLimits>;
}

/** Counters that instances share to count together. The storage brings them. */
export interface ThrottlingCounters {
  readonly runStarts: RunStartCounter;
  readonly openStreams: (limit: number) => OpenStreams;
}

export type ThrottlingLimits = Required<Omit<ThrottlingOptions, 'reads'>>;

export const DEFAULT_THROTTLING: ThrottlingLimits = { startsPerMinute: 60, maxOpenStreams: 20 };

/**
 * The options with their defaults.
 * @throws AppError `CONFIG_INVALID` if a limit is not a whole number above 0
 */
export function toLimits({
  startsPerMinute = DEFAULT_THROTTLING.startsPerMinute,
  maxOpenStreams = DEFAULT_THROTTLING.maxOpenStreams,
}: ThrottlingOptions): ThrottlingLimits {
  const limits = { startsPerMinute, maxOpenStreams };
  const faults = Object.entries(limits)
    .filter(([, limit]) => !Number.isInteger(limit) || limit < 1)
    .map(([name, limit]) => `throttling.${name} must be a whole number of at least 1, not ${limit}.`);
  if (faults.length > 0) throw new AppError('CONFIG_INVALID', faults.join('\n'));
  return limits;
}
