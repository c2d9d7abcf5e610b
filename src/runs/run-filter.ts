import type { RunStatus } from './run.js';

/** The runs to find. What is absent excludes none. */
export interface RunFilter {
  readonly tenant?: string;
  /** Needs `tenant`. */
  readonly userId?: string;
  readonly agent?: string;
  readonly status?: readonly RunStatus[];
  /** Created at this moment or later, in milliseconds since 1970. */
  readonly since?: number;
  /** Created earlier than this moment, in milliseconds since 1970. */
  readonly before?: number;
  /** Default `newest`. */
  readonly first?: RunOrder;
}

/**
 * Order of a list. `dearest` lists only runs whose cost is known. `longest` lists only runs that have ended, by the time from creation to end. Of
 * runs with the same figure, the newest comes first.
 */
export type RunOrder = 'newest' | 'oldest' | 'dearest' | 'longest';
