import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { checkVolume } from './network-volume.ts';
import { closeDatabaseFile, closeFile, findWarning } from './permissions.ts';
import { isBusy, ProblemError } from './problem.ts';
import type { WorkerOptions } from './protocol.js';
import { migrate } from './migrate.ts';

export interface OpenDatabase {
  readonly db: DatabaseSync;
  /** A warning for the operator. */
  readonly warning: string | undefined;
  readonly close: () => void;
}

/** Locks the directory, opens its database, brings it up to date, and takes the runs of the process before it from that. */
export function openDatabase(options: WorkerOptions): OpenDatabase {
  const { directory } = options;
  const inMemory = directory === ':memory:';
  if (!inMemory) makeDirectory(directory);
  const unclear = inMemory ? undefined : checkVolume(directory);
  const lock = inMemory ? undefined : lockDirectory(directory);
  let db: DatabaseSync | undefined;
  try {
    const file = inMemory ? ':memory:' : join(directory, 'agent-stream.db');
    if (!inMemory) closeDatabaseFile(file);
    db = new DatabaseSync(file, { timeout: 5_000 });
    configure(db, options);
    migrate(db);
    if (options.resumes) prolongLeases(db, options.resumes.downMs);
    else disownRuns(db);
  } catch (error) {
    db?.close();
    lock?.close();
    throw error;
  }
  const opened = db;
  return {
    db: opened,
    warning: inMemory ? undefined : (unclear ?? findWarning(directory)),
    close: () => {
      opened.close();
      lock?.close();
    },
  };
}

function makeDirectory(directory: string): void {
  try {
    // It holds conversations: other users of this machine must not read them.
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
  const file = join(directory, 'lock.db');
  const lock = new DatabaseSync(file, { timeout: 0 });
  try {
    for (const path of [file, `${file}-journal`]) closeFile(path);
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new ProblemError(
      'STORAGE_LOCKED',
      `The data directory ${directory} is in use, by another process or by another storage of this one. End that process, or take ` +
        'another directory; several processes can share a PostgreSQL database instead.',
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

/** Of the runs that this process owns: a process that had the directory meanwhile has left none of them an owner. */
function prolongLeases(db: DatabaseSync, ms: number): void {
  db.prepare(
    'UPDATE runs SET lease_until = lease_until + ? WHERE ended_at IS NULL AND owner_id IS NOT NULL',
  ).run(Math.ceil(ms));
}

/**
 * The lock proves that a run's owner is dead, so that leases need not run out. That there was an owner stays to
 * be seen: a claim counts the deaths.
 */
function disownRuns(db: DatabaseSync): void {
  db.exec('UPDATE runs SET lease_until = 0 WHERE ended_at IS NULL AND owner_id IS NOT NULL');
}
