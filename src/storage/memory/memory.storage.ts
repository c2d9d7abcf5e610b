import { LocalWakeups } from '../local-wakeups.js';
import { Storage } from '../storage.js';
import { MemoryAssistantStore } from './memory-assistant.store.js';
import { MemoryBlobStore } from './memory-blob.store.js';
import { MemoryCheckpointer } from './memory.checkpointer.js';
import { MemoryEventLog } from './memory-event-log.js';
import { MemoryItemStore } from './memory-item.store.js';
import { MemoryRecords } from './memory-records.js';
import { MemoryRetention } from './memory-retention.js';
import { MemoryRunStore } from './memory-run.store.js';
import { MemorySharedState } from './memory-shared-state.js';

/** Keeps everything in this process: for tests and for trying things out. What it holds ends with it. */
export class MemoryStorage extends Storage {
  readonly runs: MemoryRunStore;
  readonly log: MemoryEventLog;
  readonly wakeups = new LocalWakeups();
  readonly retention: MemoryRetention;
  readonly state = new MemorySharedState();
  readonly items: MemoryItemStore;
  readonly blobs: MemoryBlobStore;
  readonly assistants = new MemoryAssistantStore();
  readonly checkpointer: MemoryCheckpointer;

  /** @param options `clock`: milliseconds since the epoch; default the system's */
  constructor({ clock = Date.now }: { readonly clock?: () => number } = {}) {
    super();
    const records = new MemoryRecords();
    this.checkpointer = new MemoryCheckpointer(records);
    this.runs = new MemoryRunStore(records, this.checkpointer, clock);
    this.log = new MemoryEventLog(records, clock);
    this.items = new MemoryItemStore(clock);
    this.blobs = new MemoryBlobStore(records, clock);
    this.retention = new MemoryRetention(records, this.checkpointer);
  }

  async open(): Promise<void> {}

  async check(): Promise<void> {}

  async close(): Promise<void> {}
}
