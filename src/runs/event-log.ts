import type { RequestedInput } from '../events/requested-input.js';
import type { PublicError, RunOutcome, Usage } from '../events/run-event.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { Owner } from '../principal.js';

/**
 * Port: the append-only logs of the runs. Methods reject with STORAGE_FAILED when the storage cannot be reached.
 */
export abstract class EventLog {
  /**
   * Appends batches of several runs, each whole or not at all. Calls take effect in the order in which they were made, also
   * when a caller does not wait for the one before. Durable when it resolves; the results are in the order of the batches.
   *
   * A batch is refused as `fenced`, and changes nothing, unless its epoch is the run's current one, the run has not ended,
   * and `afterSeq` is the log's last seq. With `ending` the run's record gets its end in the same atomic step.
   *
   * A batch that completes its run while a message waits for the run is refused as `message-waits`, and changes nothing; so may those of the same call right
   * before it be. The run is still its owner's.
   */
  abstract append(batches: readonly AppendBatch[]): Promise<readonly AppendResult[]>;

  /**
   * A page of the events with a seq above `afterSeq`, in order: at most `limit`, and no more than some hundred KiB of them, but at
   * least one where there is one. Empty at the tail, and for an unknown run. How much a page holds is the storage's to say, so
   * that a reader never has a whole log in memory: a page that is shorter than its limit is not the last.
   */
  abstract readPage(runId: string, afterSeq: number, limit: number): Promise<LogPage>;

  /** The events of {@link readPage}, for who does not ask what follows. */
  async read(runId: string, afterSeq: number, limit: number): Promise<readonly RecordedEvent[]> {
    return (await this.readPage(runId, afterSeq, limit)).events;
  }
}

export interface LogPage {
  readonly events: readonly RecordedEvent[];
  /** True when there was nothing more to read. False says nothing. */
  readonly atTail: boolean;
  /** Roughly what the events take. */
  readonly bytes: number;
}

export interface AppendBatch {
  readonly runId: string;
  readonly epoch: number;
  /** The seq of the event before the batch's first; 0 for a run's first batch. */
  readonly afterSeq: number;
  /** At least one; consecutive. */
  readonly events: readonly RecordedEvent[];
  /** Set when the batch closes with the run's `end`. */
  readonly ending?: RunEnding;
}

export type AppendResult = 'appended' | 'fenced' | 'message-waits';

/** The end of a run, for its record. */
export interface RunEnding {
  readonly outcome: RunOutcome;
  readonly error?: PublicError;
  readonly usage: Usage;
  /** With `awaiting-input`: what it waits for, at least one. */
  readonly inputs?: readonly RequestedInput[];
  /** Text by which the run is found. Absent: none. */
  readonly said?: SaidText;
}

/** The words of a run. */
export interface SaidText {
  readonly owner: Owner;
  /** Empty if the run continues another one, which has it. */
  readonly question: string;
  readonly answer: string;
}
