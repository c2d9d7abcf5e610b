import type { VictimOptions } from '../kill-loop/victim.options.js';

/** What one process of a cluster has to know. Its `directory` is that of the side effects, and the same for all. */
export interface NodeOptions extends VictimOptions {
  /** Which of the processes this is, from 0. */
  readonly index: number;
  readonly databaseUrl: string;
  /** Absent: PostgreSQL carries the hints and counts. */
  readonly redisUrl?: string;
  readonly roles: readonly ('api' | 'worker')[];
  /** Loses every hint from other processes: what they have to say is found out by looking. */
  readonly deaf?: boolean;
  /** How long the model takes over a word, at most, in milliseconds. Default: the model's own. */
  readonly paceMs?: number;
  /** Default: far beyond what anybody asks for. */
  readonly startsPerMinute?: number;
  readonly openStreams?: number;
}
