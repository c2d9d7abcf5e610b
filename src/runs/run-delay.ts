import { AppError } from '../errors.js';

/** Longest time after which a run may begin, in milliseconds: a week. */
export const LONGEST_DELAY_MS = 7 * 24 * 60 * 60_000;

/** Maximum runs of one principal that begin later, at a time. */
export const MOST_DELAYED_RUNS = 100;

/** @throws AppError REQUEST_INVALID for a time after which no run may begin */
export function checkDelay(delayMs = 0): void {
  if (Number.isInteger(delayMs) && delayMs >= 0 && delayMs <= LONGEST_DELAY_MS) return;
  throw new AppError(
    'REQUEST_INVALID',
    `\`delayMs\` is ${delayMs}. A run can begin within a week: write a whole number of milliseconds from 0 to ${LONGEST_DELAY_MS}.`,
  );
}

/** @param limit of the runs of one principal that begin later */
export function createDelayRefusal(limit: number): AppError {
  return new AppError(
    'TOO_MANY_DELAYED',
    `At most ${limit} of your runs can begin later. Cancel one of them, or wait until one begins.`,
  );
}
