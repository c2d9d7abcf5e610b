import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint';
import type { EventLog } from '../runs/event.log.js';
import type { Retention } from '../runs/retention.js';
import type { RunStore } from '../runs/run.store.js';
import type { Wakeups } from '../runs/wakeups.js';

/**
 * A storage: the ports of a run's life over one technology, and the LangGraph checkpointer that lives beside them.
 * Make your own by extending this class and running `describeStorage` of `./testing` against it.
 */
export abstract class Storage {
  abstract readonly runs: RunStore;
  abstract readonly log: EventLog;
  abstract readonly wakeups: Wakeups;
  abstract readonly retention: Retention;
  abstract readonly checkpointer: BaseCheckpointSaver;

  /** Connects, migrates, locks. @throws AppError STORAGE_LOCKED, STORAGE_FAILED */
  abstract open(): Promise<void>;

  /** Resolves when the storage can be read and written. @throws AppError STORAGE_FAILED */
  abstract check(): Promise<void>;

  /** Waits for what is under way, then lets go of files and connections. Harmless when repeated. */
  abstract close(): Promise<void>;
}
