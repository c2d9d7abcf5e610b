import { AppError } from '../../errors.js';
import { SharedWakeups, type HintCarrier } from '../shared.wakeups.js';
import { Storage } from '../storage.js';
import { storageFailure } from './connection.loss.js';
import { PostgresCheckpointer } from './postgres.checkpointer.js';
import { DEFAULT_SCHEMA, PostgresDatabase } from './postgres.database.js';
import { PostgresHints } from './postgres.hints.js';
import { PostgresEventLog } from './postgres.log.js';
import { migrate } from './postgres.migrator.js';
import { PostgresRetention } from './postgres.retention.js';
import { PostgresRunStore } from './postgres.runs.js';
import { PostgresWriter } from './postgres.writer.js';

export interface PostgresStorageOptions {
  /** `postgres://user:password@host/database`; also one that leads through PgBouncer, in whatever mode. */
  readonly url: string;
  /** Where to LISTEN: the database itself, when `url` leads through PgBouncer in transaction mode. Default: `url`. */
  readonly listenUrl?: string;
  /** The schema that holds our tables, made when it does not exist. Default `agent_stream`. */
  readonly schema?: string;
  /** Connections for requests, opened as they are needed; one for writing and one for hints come on top. Default 10. */
  readonly poolSize?: number;
  /** How long a request waits for a database that is away, in milliseconds. Default 10,000; then it fails. */
  readonly requestPatienceMs?: number;
  /** How long events wait for a database that is away. Default 60,000 ms; then their run is left to its next owner. */
  readonly writePatienceMs?: number;
  /** How many checkpoints of a thread remain, per namespace. Default 2; `all` allows LangGraph's time travel. */
  readonly keepCheckpoints?: number | 'all';
  /** Carries the hints in place of LISTEN and NOTIFY. Opened and closed with the storage. */
  readonly hints?: HintCarrier;
}

/**
 * The storage that any number of processes share: runs, logs, checkpoints and hints in one PostgreSQL, 14 or newer. The database
 * decides who owns a run, by its own clock; the processes need not know of each other.
 */
export class PostgresStorage extends Storage {
  readonly runs: PostgresRunStore;
  readonly log: PostgresEventLog;
  readonly wakeups: SharedWakeups;
  readonly retention: PostgresRetention;
  readonly checkpointer: PostgresCheckpointer;
  /** For what else is counted across processes. */
  readonly database: PostgresDatabase;
  private readonly writer: PostgresWriter;
  private readonly hints: HintCarrier;

  constructor(options: PostgresStorageOptions) {
    super();
    const { url, listenUrl = url, schema = DEFAULT_SCHEMA, poolSize = 10, keepCheckpoints = 2 } = options;
    const { requestPatienceMs = 10_000, writePatienceMs = 60_000 } = options;
    this.database = new PostgresDatabase({ url, schema, poolSize, patienceMs: requestPatienceMs });
    this.writer = new PostgresWriter({ url, schema, patienceMs: writePatienceMs });
    this.hints = options.hints ?? new PostgresHints(listenUrl, this.database);
    this.wakeups = new SharedWakeups(this.hints);
    this.runs = new PostgresRunStore(this.database);
    this.log = new PostgresEventLog(this.database, this.writer);
    this.retention = new PostgresRetention(this.database);
    this.checkpointer = new PostgresCheckpointer(this.database, this.writer, keepCheckpoints);
  }

  async open(): Promise<void> {
    await migrate(this.database);
    await this.hints.open(this.wakeups);
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
  }
}
