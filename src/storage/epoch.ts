import { randomInt } from 'node:crypto';

/** In 32 bits: a fencing number and its place in an event id stay short, and two claims hardly ever agree. */
const LONGEST_STEP = 2 ** 32;

/**
 * Returns the step by which a new owner moves a run's epoch on, the first one from 0. It is random, so that no epoch is ever given
 * twice.
 *
 * A database that was put back to an earlier state has forgotten the claims since. Counted on, its next claim would give the epoch
 * that a lost claim has given, and an event id of the lost time would name an event that says something else. With steps of 32
 * random bits it names nothing, and its reader gets `reset`. The clock would be no better source: it may be set back, and a
 * standby's differs from that of the primary whose last commits it lacks.
 */
export function epochStep(): number {
  return randomInt(1, LONGEST_STEP);
}
