import type { RecordedEvent } from '../events/recorded-event.js';
import type { Owner } from '../principal.js';
import type { SaidText } from './event-log.js';
import type { Thread } from './run.js';

/** The threads that may be deleted. */
export interface IdleThreads {
  /** Only those in which nothing was created and nothing ended since this moment; milliseconds since the epoch. */
  readonly unchangedSince: number;
  readonly limit: number;
  /** Only those of this owner. Default: of anybody. */
  readonly owner?: Owner;
}

/** Bytes of an owner's ended runs, their messages and logs, and of the owner's files. */
export interface OwnerUsage {
  readonly owner: Owner;
  readonly bytes: number;
}

/** A thread that is gone: its id, and whose it was. */
export type DeletedThread = Pick<Thread, 'id' | 'owner'>;

/**
 * Port: what makes room. Every method is one atomic step, small enough that a storage can do it between two appends. Methods
 * reject with STORAGE_FAILED when the storage cannot be reached.
 */
export abstract class Retention {
  /** Ids of runs that ended before that moment and were not compacted yet, earliest end first; at most `limit`. */
  abstract listUncompacted(query: {
    readonly endedBefore: number;
    readonly limit: number;
  }): Promise<readonly string[]>;

  /**
   * Puts these events, a part of the run's log with their seqs and epochs, in place of the whole. Refused, and nothing changes,
   * unless the run has ended, was not compacted before, and its last event is among them. `firstSeq` of the run follows.
   */
  abstract compact(runId: string, events: readonly RecordedEvent[]): Promise<'compacted' | 'refused'>;

  /** Ids of ended runs that a search does not find because an earlier version has ended them, latest end first; at most `limit`. */
  abstract listUnindexed(limit: number): Promise<readonly string[]>;

  /** Lets a search find such a run by its words. Nothing changes for any other run. */
  abstract index(runId: string, said: SaidText): Promise<void>;

  /**
   * Removes threads, longest unchanged first, each with all that {@link RunStore.deleteThread} removes, and tells which. Never one that
   * has a run that has not ended.
   */
  abstract deleteIdleThreads(threads: IdleThreads): Promise<readonly DeletedThread[]>;

  /**
   * Removes threads whose own lifetime has ended at this moment, the longest expired first; at most `limit`. Otherwise as
   * {@link Retention.deleteIdleThreads}.
   */
  abstract deleteExpiredThreads(query: {
    readonly now: number;
    readonly limit: number;
  }): Promise<readonly DeletedThread[]>;

  /** The owners whose runs and files take most, heaviest first; at most `limit`. Runs that have not ended do not count. */
  abstract listUsage(limit: number): Promise<readonly OwnerUsage[]>;

  /** Bytes that hold data. What was removed no longer counts, whether or not its space was given back. */
  abstract usedBytes(): Promise<number>;

  /** Gives a piece of free space back to where it came from. False when there is nothing worth giving back. */
  abstract shrink(): Promise<boolean>;
}
