import { AppError } from '../errors.js';
import type { OpenStreams } from './open-streams.js';
import type { RunStartCounter } from './run-start.counter.js';

/** How much one principal may ask for. Counted per tenant and user, not per address, credential or route. */
export interface ThrottlingOptions {
  /** Runs that one principal may start in any 60 seconds, over all routes that start runs. Default 60; beyond it `RATE_LIMITED`. */
  readonly startsPerMinute?: number;
  /** Event streams that one principal may hold open at once. Default 20; beyond it `TOO_MANY_STREAMS`. */
  readonly openStreams?: number;
  /** Where it is counted. Default: in this process, so that each of several instances allows as much again. */
  readonly counters?: ThrottlingCounters;
}

/** What instances that count together have in common. */
export interface ThrottlingCounters {
  readonly runStarts: RunStartCounter;
  readonly openStreams: (limit: number) => OpenStreams;
}

export type ThrottlingLimits = Required<Omit<ThrottlingOptions, 'counters'>>;

/**
 * The options with their defaults.
 * @throws AppError `CONFIG_INVALID` when a limit is no whole number above 0
 */
export function limitsOf({ startsPerMinute = 60, openStreams = 20 }: ThrottlingOptions): ThrottlingLimits {
  const limits = { startsPerMinute, openStreams };
  const faults = Object.entries(limits)
    .filter(([, limit]) => !Number.isInteger(limit) || limit < 1)
    .map(([name, limit]) => `throttling.${name} is ${limit}: it must be a whole number of at least 1.`);
  if (faults.length > 0) throw new AppError('CONFIG_INVALID', faults.join('\n'));
  return limits;
}
