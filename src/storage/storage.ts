import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint';
import type { AssistantStore } from '../agents/assistant.store.js';
import type { ItemStore } from '../agents/item.store.js';
import type { AppError } from '../errors.js';
import type { BlobStore } from '../runs/blob.store.js';
import type { EventLog } from '../runs/event-log.js';
import type { Retention } from '../runs/retention.js';
import type { RunStore } from '../runs/run.store.js';
import type { Wakeups } from '../runs/wakeups.js';
import type { SharedState } from '../shared-state.js';
import type { ThrottlingCounters } from '../throttling/throttling.options.js';

/**
 * A storage: the ports of a run's life over one technology, and the LangGraph checkpointer that lives beside them.
 * Make your own by extending this class and running `describeStorage` of `./testing` against it.
 */
export abstract class Storage {
  abstract readonly runs: RunStore;
  abstract readonly log: EventLog;
  abstract readonly wakeups: Wakeups;
  abstract readonly retention: Retention;
  abstract readonly state: SharedState;
  abstract readonly items: ItemStore;
  abstract readonly blobs: BlobStore;
  abstract readonly assistants: AssistantStore;
  abstract readonly checkpointer: BaseCheckpointSaver;
  /**
   * The place of the data, in words that name it and show no password. Two modules of one application may not have the same. Absent
   * if no other storage can have these data.
   */
  readonly location?: string | undefined;
  /** Counters of the limits, if all processes of this storage count together. Absent: each process counts for itself. */
  readonly counters?: ThrottlingCounters;

  /** Connects, migrates, locks. @throws AppError STORAGE_LOCKED, STORAGE_FAILED */
  abstract open(): Promise<void>;

  /** Resolves when the storage can be read and written. @throws AppError STORAGE_FAILED */
  abstract check(): Promise<void>;

  /**
   * Calls the listener once this storage is broken for good, and only a new process can use the data again: at once, or never. A
   * storage that comes back by itself never is. What is asked of it from then on fails.
   */
  onBroken(_listener: (reason: AppError) => void): void {}

  /** Waits for what is under way, then lets go of files and connections. Harmless when repeated. */
  abstract close(): Promise<void>;
}
