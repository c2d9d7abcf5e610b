import { resolve } from 'node:path';
import type { AppError } from '../../errors.js';
import { LocalWakeups } from '../local-wakeups.js';
import { DEFAULT_STATES_MAX_BYTES } from '../checkpoint-keeping.js';
import { Storage } from '../storage.js';
import { SqliteAssistantStore } from './sqlite-assistant.store.js';
import type { BlobStore } from '../../runs/blob.store.js';
import { withObjects } from '../objects/object-blob.store.js';
import type { ObjectStore } from '../objects/object.store.js';
import { SqliteBlobStore } from './sqlite-blob.store.js';
import { SqliteCheckpointer } from './sqlite.checkpointer.js';
import { SqliteClient } from './sqlite.client.js';
import { SqliteEventLog } from './sqlite-event-log.js';
import { SqliteItemStore } from './sqlite-item.store.js';
import { SqliteRetention } from './sqlite-retention.js';
import { SqliteRunStore } from './sqlite-run.store.js';
import { SqliteSharedState } from './sqlite-shared-state.js';

export interface SqliteStorageOptions {
  /**
   * Directory of the files; created if it does not exist. One process at a time: a second one gets STORAGE_LOCKED. `:memory:` keeps
   * everything in memory until the storage is closed.
   */
  readonly directory: string;
  /**
   * `NORMAL` (default) loses nothing when the process dies, however it dies; a power failure can take the last moments.
   * `FULL` waits for the disk at each commit, which costs milliseconds and survives that too.
   */
  readonly synchronous?: 'NORMAL' | 'FULL';
  /**
   * Number of a thread's checkpoints that remain (per namespace): default 2, which is enough to continue. `all` allows LangGraph's
   * time travel and costs disk space in the square of a thread's length.
   */
  readonly keepCheckpoints?: number | 'all';
  /**
   * Maximum bytes of the states of a thread where it can be continued. Beyond them those of the oldest runs go, and never the newest. Default 16 MiB.
   */
  readonly statesMaxBytes?: number;
  /**
   * The size that the database file may have, in bytes. A write beyond it fails with STORAGE_FAILED, as on a full disk. Default:
   * what the disk has. For a limit that makes room by itself, see the module's `retention`.
   */
  readonly maxFileBytes?: number;
  /** Keeps the bytes of files, in place of the database. Default: the database. */
  readonly objects?: ObjectStore;
  /** Milliseconds since the epoch. Default: the system's clock. */
  readonly clock?: () => number;
}

export const DEFAULT_SYNCHRONOUS = 'NORMAL';

/** The embedded default: runs, logs and checkpoints in one SQLite database, in a thread of its own. Needs no service. */
export class SqliteStorage extends Storage {
  readonly runs: SqliteRunStore;
  readonly log: SqliteEventLog;
  readonly wakeups = new LocalWakeups();
  readonly retention: SqliteRetention;
  readonly state: SqliteSharedState;
  readonly items: SqliteItemStore;
  readonly blobs: BlobStore;
  readonly assistants: SqliteAssistantStore;
  readonly checkpointer: SqliteCheckpointer;
  override readonly location: string | undefined;
  private readonly client: SqliteClient;
  private readonly objects: ObjectStore | undefined;
  private readonly clock: () => number;

  constructor(options: SqliteStorageOptions) {
    super();
    const {
      directory,
      synchronous = DEFAULT_SYNCHRONOUS,
      keepCheckpoints = 2,
      statesMaxBytes = DEFAULT_STATES_MAX_BYTES,
      maxFileBytes,
      objects,
      clock = Date.now,
    } = options;
    this.clock = clock;
    this.objects = objects;
    this.location = directory === ':memory:' ? undefined : resolve(directory);
    this.client = new SqliteClient({
      directory,
      synchronous,
      ...(maxFileBytes !== undefined && { maxFileBytes }),
    });
    this.runs = new SqliteRunStore(this.client, clock);
    this.log = new SqliteEventLog(this.client, clock);
    this.retention = new SqliteRetention(this.client);
    this.state = new SqliteSharedState(this.client, directory !== ':memory:');
    this.items = new SqliteItemStore(this.client, clock);
    this.blobs = withObjects(new SqliteBlobStore(this.client, clock), objects);
    this.assistants = new SqliteAssistantStore(this.client);
    this.checkpointer = new SqliteCheckpointer(this.client, keepCheckpoints, statesMaxBytes);
  }

  async open(): Promise<void> {
    await this.client.open();
    await this.objects?.open();
  }

  async check(): Promise<void> {
    await this.client.call('check', this.clock());
  }

  override onBroken(listener: (reason: AppError) => void): void {
    void this.client.whenBroken.then(listener);
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.objects?.close();
  }
}
