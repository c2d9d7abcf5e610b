import type { ClaimRun } from './run.store.js';

/** A run at work, as a claim finds it. */
export interface LeasedRun {
  readonly id: string;
  readonly leaseUntil: number;
  /** The owners that have died with the run in hand, as its record counts them. */
  readonly deaths: number;
  /** True until its owner gives it back. */
  readonly isHeld: boolean;
}

/** Counts the deaths of a run that is claimed now: an owner that has not given it back has died. Pure. */
export function countDeaths({ deaths, isHeld }: Pick<LeasedRun, 'deaths' | 'isHeld'>): number {
  return deaths + (isHeld ? 1 : 0);
}

/** True if the owner of a run has fallen silent, and the claim does not leave the run where it is. Pure. */
export function isAbandoned(
  run: LeasedRun,
  { now, inHand = [], exceptDeaths }: Pick<ClaimRun, 'inHand' | 'exceptDeaths'> & { readonly now: number },
): boolean {
  return run.leaseUntil <= now && countDeaths(run) !== exceptDeaths && !inHand.includes(run.id);
}
