import { randomInt } from 'node:crypto';

/** As many random bits as a number has room for behind a version of some hundred thousand. */
const RANDOM_BITS = 32;

/**
 * The version after `current`: the next whole number, and behind its point a fraction that is this write's alone.
 *
 * A value is stored once, under its channel and version. Two branches of a thread that start from one checkpoint would both
 * call their next version 8, and one would read the other's value; with a fraction they call it 8.27… and 8.91…. A number,
 * rather than text with a random tail, because LangGraph compares versions with `>` and declares them as numbers.
 */
export function nextVersion(current: number | undefined): number {
  return Math.floor(current ?? 0) + 1 + randomInt(2 ** RANDOM_BITS) / 2 ** RANDOM_BITS;
}
