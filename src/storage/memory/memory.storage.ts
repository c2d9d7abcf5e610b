import { LocalWakeups } from '../local.wakeups.js';
import { Storage } from '../storage.js';
import { MemoryCheckpointer } from './memory.checkpointer.js';
import { MemoryEventLog } from './memory.log.js';
import { MemoryRecords } from './memory.records.js';
import { MemoryRetention } from './memory.retention.js';
import { MemoryRunStore } from './memory.runs.js';

/** Keeps everything in this process: for tests and for trying things out. What it holds ends with it. */
export class MemoryStorage extends Storage {
  readonly runs: MemoryRunStore;
  readonly log: MemoryEventLog;
  readonly wakeups = new LocalWakeups();
  readonly retention: MemoryRetention;
  readonly checkpointer: MemoryCheckpointer;

  /** @param options `clock`: milliseconds since the epoch; default the system's */
  constructor({ clock = Date.now }: { readonly clock?: () => number } = {}) {
    super();
    const records = new MemoryRecords();
    this.runs = new MemoryRunStore(records, clock);
    this.log = new MemoryEventLog(records, clock);
    this.retention = new MemoryRetention(records);
    this.checkpointer = new MemoryCheckpointer(records);
  }

  async open(): Promise<void> {}

  async check(): Promise<void> {}

  async close(): Promise<void> {}
}
