import { LocalWakeups } from '../local-wakeups.js';
import { Storage } from '../storage.js';
import { MemoryAssistantStore } from './memory-assistant.store.js';
import type { BlobStore } from '../../runs/blob.store.js';
import { withObjects } from '../objects/object-blob.store.js';
import type { ObjectStore } from '../objects/object.store.js';
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
  readonly blobs: BlobStore;
  readonly assistants = new MemoryAssistantStore();
  readonly checkpointer: MemoryCheckpointer;
  private readonly objects: ObjectStore | undefined;

  /**
   * @param options `clock`: milliseconds since the epoch; default the system's. `objects`: keeps the bytes of files; default this process. The objects of files
   *   that are not deleted when the process ends stay for good
   */
  constructor({
    clock = Date.now,
    objects,
  }: { readonly clock?: () => number; readonly objects?: ObjectStore } = {}) {
    super();
    this.objects = objects;
    const records = new MemoryRecords();
    this.checkpointer = new MemoryCheckpointer(records);
    this.runs = new MemoryRunStore(records, this.checkpointer, clock);
    this.log = new MemoryEventLog(records, clock);
    this.items = new MemoryItemStore(clock);
    this.blobs = withObjects(new MemoryBlobStore(records, clock), objects);
    this.retention = new MemoryRetention(records, this.checkpointer);
  }

  async open(): Promise<void> {
    await this.objects?.open();
  }

  async check(): Promise<void> {}

  async close(): Promise<void> {
    await this.objects?.close();
  }
}
