/** A failure in a form that survives the way to the main thread. */
export interface Problem {
  readonly code: 'STORAGE_FAILED' | 'STORAGE_LOCKED';
  /** Written to be shown: no path, no SQL. */
  readonly message: string;
  /** True when the same may succeed later: the database is in use, or the disk is full. */
  readonly passing: boolean;
  /** Message of the database or the file system, for the log. */
  readonly cause: string;
}

/** A problem that is known where it is thrown. */
export class ProblemError extends Error {
  readonly code: Problem['code'];

  constructor(code: Problem['code'], message: string) {
    super(message);
    this.code = code;
  }
}

// SQLite's primary result codes, https://sqlite.org/rescode.html
const BUSY = 5;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

const MESSAGES: Readonly<Record<number, string>> = {
  [BUSY]: 'Another program holds a write lock on the database file. End that program.',
  [READONLY]:
    'The data directory or a file in it cannot be written. Give this process the right to write there.',
  [IOERR]: 'The disk under the data directory failed to read or write. Check the disk and its free space.',
  [CORRUPT]: 'The database file is damaged. Restore it from a backup, or start with an empty data directory.',
  [FULL]:
    'The disk under the data directory is full. Free some space; nothing that was acknowledged is lost.',
  [CANTOPEN]: 'The database file cannot be opened. Check that the data directory exists and can be written.',
  [NOTADB]:
    'The database file is damaged or not a database. Restore it from a backup, or start with an empty data directory.',
};

export function toProblem(error: unknown): Problem {
  const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (error instanceof ProblemError)
    return { code: error.code, message: error.message, passing: false, cause };
  const resultCode = getPrimaryCode(error);
  const message = resultCode === undefined ? undefined : MESSAGES[resultCode];
  return {
    code: 'STORAGE_FAILED',
    message: message ?? 'The storage cannot be read or written.',
    passing: isBusy(error) || isFull(error),
    cause,
  };
}

export function isBusy(error: unknown): boolean {
  return getPrimaryCode(error) === BUSY;
}

export function isFull(error: unknown): boolean {
  return getPrimaryCode(error) === FULL;
}

/** The low byte of an extended result code is the primary one. */
function getPrimaryCode(error: unknown): number | undefined {
  const { errcode } = (error ?? {}) as { errcode?: unknown };
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}
