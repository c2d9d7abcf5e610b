import { AppError } from '../errors.js';
import type { RunLimits } from './run-limits.js';

/**
 * True when the agent could not reach what it remembers. That is not a failure of the agent: as with a log that cannot be written,
 * the run's next owner goes on from what is stored.
 */
export function isStorageAway(failure: unknown): boolean {
  return failure instanceof AppError && failure.code === 'STORAGE_FAILED' && failure.retryable;
}

export function createPoisonedError(deaths: number): AppError {
  return new AppError(
    'RUN_POISONED',
    deaths === 1
      ? 'This run was given up: the process that worked on it died.'
      : `This run was given up: ${deaths} processes that worked on it died, one after the other.`,
  );
}

export function createTimeLimitError({ maxMs }: RunLimits): AppError {
  return new AppError('RUN_LIMIT', `This run reached its limit of ${Math.round(maxMs / 1000)} seconds.`);
}
