/** Milliseconds before the n-th further attempt, from 0: doubling from 25 to 1,000, each with up to half of it by chance. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const base = Math.min(1_000, 25 * 2 ** Math.min(attempt, 10));
  return Math.round(base / 2 + random() * (base / 2));
}
