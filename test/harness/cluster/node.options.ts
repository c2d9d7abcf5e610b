import type { VictimOptions } from '../kill-loop/victim.options.js';

/** Options of one process of a cluster. Its `directory` is that of the side effects, and the same for all. */
export interface NodeOptions extends VictimOptions {
  /** Index of the process, from 0. */
  readonly index: number;
  readonly databaseUrl: string;
  /** Absent: PostgreSQL carries the hints and counts. */
  readonly redisUrl?: string;
  readonly roles: readonly ('api' | 'worker')[];
  /** Loses every hint from other processes: what they have to say is found out by looking. */
  readonly deaf?: boolean;
  /** Maximum time of the model for a word, in milliseconds. Default: the model's own. */
  readonly paceMs?: number;
  /** Default: far beyond what anybody asks for. */
  readonly startsPerMinute?: number;
  readonly maxOpenStreams?: number;
}
