import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isBusy, ProblemError } from './problem.ts';
import type { WorkerOptions } from './protocol.js';
import { migrate } from './schema.ts';

export interface OpenDatabase {
  readonly db: DatabaseSync;
  readonly close: () => void;
}

/** Locks the directory, opens its database, brings it up to date, and takes the runs of the process before it from that. */
export function openDatabase(options: WorkerOptions): OpenDatabase {
  const { directory } = options;
  const inMemory = directory === ':memory:';
  if (!inMemory) makeDirectory(directory);
  const lock = inMemory ? undefined : lockDirectory(directory);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(inMemory ? ':memory:' : join(directory, 'agent-stream.db'), { timeout: 5_000 });
    configure(db, options);
    migrate(db);
    disownRuns(db);
  } catch (error) {
    db?.close();
    lock?.close();
    throw error;
  }
  const opened = db;
  return {
    db: opened,
    close: () => {
      opened.close();
      lock?.close();
    },
  };
}

function makeDirectory(directory: string): void {
  try {
    // Conversations are in it: nobody else's business on this machine.
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw new ProblemError(
      'STORAGE_FAILED',
      `The data directory ${directory} cannot be made (${reason}). Name a directory that this process may write to.`,
    );
  }
}

/**
 * An open transaction on a file of its own is the lock: the operating system ends it with the process, also at a SIGKILL, so
 * no stale lock can remain; and the database itself stays open to readers, for a backup or a look with the sqlite3 command.
 * Nothing else in this process may open and close that file: by POSIX rules that would drop the lock.
 */
function lockDirectory(directory: string): DatabaseSync {
  const lock = new DatabaseSync(join(directory, 'lock.db'), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new ProblemError(
      'STORAGE_LOCKED',
      `Another process uses the data directory ${directory}. End that process, or give this one a directory of its own; ` +
        'several processes can share a Postgres database instead.',
    );
  }
}

function configure(db: DatabaseSync, { synchronous, maxFileBytes }: WorkerOptions): void {
  // The first statement, because it shapes a new file; it lets retention give space back without rewriting everything.
  db.exec(`
    PRAGMA auto_vacuum = INCREMENTAL;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${synchronous};
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA temp_store = MEMORY;
  `);
  if (maxFileBytes === undefined) return;
  const pageBytes = Number(db.prepare('PRAGMA page_size').get()?.['page_size']);
  db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxFileBytes / pageBytes))}`);
}

/** The lock proves that whoever owned a run is dead, so nobody needs to wait for the end of a lease. */
function disownRuns(db: DatabaseSync): void {
  db.exec('UPDATE runs SET owner_id = NULL, lease_until = 0 WHERE ended_at IS NULL AND owner_id IS NOT NULL');
}
