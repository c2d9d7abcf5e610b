import type { ObjectStore } from '../objects/object.store.js';
import type { HintCarrier } from '../shared-wakeups.js';

export interface PostgresStorageOptions {
  /** `postgres://user:password@host/database`; also one that leads through PgBouncer, in whatever mode. */
  readonly url: string;
  /** Address to LISTEN at: the database itself, if `url` leads through PgBouncer in transaction mode. Default: `url`. */
  readonly listenUrl?: string;
  /** The schema that holds our tables, made when it does not exist. Default `agent_stream`. */
  readonly schema?: string;
  /** Connections for requests, opened as they are needed; one for writing and one for hints come on top. Default 10. */
  readonly poolSize?: number;
  /** Maximum wait of a request for a database that is away, in milliseconds. Default 10,000; then it fails. */
  readonly requestPatienceMs?: number;
  /** Maximum wait of events for a database that is away, in milliseconds. Default 60,000 ms; then their run is left to its next owner. */
  readonly writePatienceMs?: number;
  /** Number of a thread's checkpoints that remain, per namespace. Default 2; `all` allows LangGraph's time travel. */
  readonly keepCheckpoints?: number | 'all';
  /**
   * Maximum bytes of the states of a thread where it can be continued. Beyond them those of the oldest runs go, and never the newest. Default 16 MiB.
   */
  readonly statesMaxBytes?: number;
  /** Keeps the bytes of files, in place of the database. Opened and closed with the storage. Default: the database. */
  readonly objects?: ObjectStore;
  /**
   * Carries the hints in place of LISTEN and NOTIFY, and counts the limits if it can, as `RedisHints` does. Opened and closed with the
   * storage.
   */
  readonly hints?: HintCarrier;
}

export const DEFAULT_POOL_SIZE = 10;
