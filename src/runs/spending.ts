import type { Usage } from '../events/run-event.js';
import type { Owner } from '../principal.js';

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

/** Usage that is no run's, and the principal and the agent that it was for. */
export interface OutsideUsage {
  readonly owner: Owner;
  readonly agent: string;
  readonly usage: Usage;
}

/** The usage of runs, under the names of the groups that were asked for. */
export interface Spending {
  readonly month?: string;
  readonly tenant?: string;
  readonly userId?: string;
  readonly agent?: string;
  /** May be 0: usage outside of runs counts none. */
  readonly runs: number;
  readonly usage: Usage;
}
