import { AppError } from '../../errors.js';
import { PostgresOpenStreams } from '../../throttling/postgres-open-streams.js';
import { PostgresRunStartCounter } from '../../throttling/postgres-run-start.counter.js';
import type { ThrottlingCounters } from '../../throttling/throttling.options.js';
import { SharedWakeups, type HintCarrier } from '../shared-wakeups.js';
import { Storage } from '../storage.js';
import { storageFailure } from './postgres.errors.js';
import { explainedStart } from './start-failure.js';
import { PostgresAssistantStore } from './postgres-assistant.store.js';
import type { BlobStore } from '../../runs/blob.store.js';
import { withObjects } from '../objects/object-blob.store.js';
import type { ObjectStore } from '../objects/object.store.js';
import { PostgresBlobStore } from './postgres-blob.store.js';
import { DEFAULT_STATES_MAX_BYTES } from '../checkpoint-keeping.js';
import { PostgresCheckpointer } from './postgres.checkpointer.js';
import { DEFAULT_SCHEMA, PostgresDatabase } from './postgres.database.js';
import { PostgresHints } from './postgres-hints.js';
import { PostgresEventLog } from './postgres-event-log.js';
import { migrate } from './postgres.migrator.js';
import { PostgresItemStore } from './postgres-item.store.js';
import { PostgresRetention } from './postgres-retention.js';
import { PostgresRunStore } from './postgres-run.store.js';
import { DEFAULT_POOL_SIZE, type PostgresStorageOptions } from './postgres-storage.options.js';
import { PostgresSharedState } from './postgres-shared-state.js';
import { PostgresWriter } from './postgres.writer.js';

/**
 * The storage that any number of processes share: runs, logs, checkpoints and hints in one PostgreSQL, 14 or newer. The database
 * decides who owns a run, by its own clock; the processes need not know of each other.
 */
export class PostgresStorage extends Storage {
  readonly runs: PostgresRunStore;
  readonly log: PostgresEventLog;
  readonly wakeups: SharedWakeups;
  readonly retention: PostgresRetention;
  readonly state: PostgresSharedState;
  readonly items: PostgresItemStore;
  readonly blobs: BlobStore;
  readonly assistants: PostgresAssistantStore;
  readonly checkpointer: PostgresCheckpointer;
  override readonly location: string | undefined;
  override readonly counters: ThrottlingCounters;
  readonly database: PostgresDatabase;
  private readonly writer: PostgresWriter;
  private readonly hints: HintCarrier;
  private readonly objects: ObjectStore | undefined;

  constructor(options: PostgresStorageOptions) {
    super();
    const {
      url,
      listenUrl = url,
      schema = DEFAULT_SCHEMA,
      poolSize = DEFAULT_POOL_SIZE,
      keepCheckpoints = 2,
      statesMaxBytes = DEFAULT_STATES_MAX_BYTES,
    } = options;
    const { requestPatienceMs = 10_000, writePatienceMs = 60_000 } = options;
    this.objects = options.objects;
    this.database = new PostgresDatabase({ url, schema, poolSize, patienceMs: requestPatienceMs });
    this.location = describePlace(url, schema);
    this.writer = new PostgresWriter({ url, schema, patienceMs: writePatienceMs });
    this.hints = options.hints ?? new PostgresHints(listenUrl, this.database);
    this.wakeups = new SharedWakeups(this.hints);
    this.counters = this.hints.counters ?? {
      runStarts: new PostgresRunStartCounter(this.database),
      openStreams: (limit) => new PostgresOpenStreams(this.database, limit),
    };
    this.runs = new PostgresRunStore(this.database);
    this.log = new PostgresEventLog(this.database, this.writer);
    this.retention = new PostgresRetention(this.database);
    this.state = new PostgresSharedState(this.database);
    this.items = new PostgresItemStore(this.database);
    this.blobs = withObjects(new PostgresBlobStore(this.database), options.objects);
    this.assistants = new PostgresAssistantStore(this.database);
    this.checkpointer = new PostgresCheckpointer(this.database, this.writer, {
      keep: keepCheckpoints,
      maxBytes: statesMaxBytes,
    });
  }

  async open(): Promise<void> {
    try {
      await migrate(this.database);
      await this.items.open();
      await this.hints.open(this.wakeups);
    } catch (error) {
      throw explainedStart(error);
    }
    await this.objects?.open();
  }

  async check(): Promise<void> {
    // The standby of a failover answers, and cannot be written.
    const [row] = await this.database.queryOnce<{ standby: boolean }>(
      'SELECT pg_is_in_recovery() AS standby',
    );
    if (row?.standby) throw storageFailure(new AppError('STORAGE_FAILED', 'The database is a standby.'));
  }

  async close(): Promise<void> {
    await this.hints.close();
    await this.writer.close();
    await this.database.close();
    await this.objects?.close();
  }
}

/** Names the schema and where it is, without the user and the password. */
function describePlace(url: string, schema: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { host, pathname } = new URL(url);
  return `schema ${schema} of ${host}${pathname}`;
}
