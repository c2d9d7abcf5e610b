import { chmodSync, closeSync, openSync, statSync } from 'node:fs';

/** Readable by the user of this process only. */
const OWN = 0o600;

/** The bits that let anybody else in. */
const OTHERS = 0o077;

/**
 * Makes a file readable for its user only, and creates it if it is missing: SQLite would make it readable for all. What SQLite makes
 * beside it has the same mode.
 */
export function closeDatabaseFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', OWN));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  for (const beside of ['', '-wal', '-shm']) closeFile(path + beside);
}

/** As {@link closeDatabaseFile}, for a file that may not be opened. One that is not there, or is another user's, stays as it is. */
export function closeFile(path: string): void {
  try {
    if ((statSync(path).mode & OTHERS) !== 0) chmodSync(path, OWN);
  } catch {
    // Whether it can be used, SQLite says.
  }
}

/** Returns a warning about a directory that others can read. */
export function findWarning(directory: string): string | undefined {
  // Windows has no such modes.
  if (process.platform === 'win32') return undefined;
  const mode = statSync(directory).mode & 0o777;
  if ((mode & OTHERS) === 0) return undefined;
  return (
    `Other users of this machine can list the data directory ${directory} (mode ${mode.toString(8)}). They cannot read ` +
    `the files in it. To keep them out of the directory, run: chmod 700 ${directory}`
  );
}
