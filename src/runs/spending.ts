import type { Usage } from '../events/run-event.js';

/** A division of sums. `user` divides by tenant as well: users are named in their tenant. */
export type SpendingGroup = 'month' | 'tenant' | 'user' | 'agent';

/** The sums to make. What is absent excludes nothing. */
export interface SpendingQuery {
  readonly by: readonly SpendingGroup[];
  readonly limit: number;
  readonly tenant?: string;
  /** Needs `tenant`. */
  readonly userId?: string;
  readonly agent?: string;
  /** The first month, as `2026-11`. */
  readonly from?: string;
  /** The last month, as `2026-11`. */
  readonly to?: string;
}

/** The usage of runs, under the names of the groups that were asked for. */
export interface Spending {
  readonly month?: string;
  readonly tenant?: string;
  readonly userId?: string;
  readonly agent?: string;
  readonly runs: number;
  readonly usage: Usage;
}
