import { AppError } from '../../errors.js';

/**
 * SQLSTATEs that say "not now" rather than "not so", https://www.postgresql.org/docs/current/errcodes-appendix.html: shutting
 * down, crashed, starting, an idle session that it closed, a statement that took too long, a standby that was the primary a moment
 * ago, a lock that somebody holds, deadlock, serialization; and all of class 53, what it is short of: disk, memory, connections.
 */
const PASSING = new Set([
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '57014',
  '25006',
  '55P03',
  '40P01',
  '40001',
  '25P03',
]);

/** SQLSTATE of an internal error. Poolers say it of what is none. */
const INTERNAL = 'XX000';

/** SQLSTATE of a full disk. */
const DISK_FULL = '53100';

/** Messages of poolers, Supavisor above all, that have no connection to lend now, or have just lost the one they had lent. */
const NONE_TO_LEND =
  /EMAXCONN|MaxClients|max clients|too many (clients|connections)|ECHECKOUTTIMEOUT|check ?out|EDBHANDLEREXITED|DbHandler|ECIRCUITBREAKER|circuit breaker|connection (slots|limit|timed? ?out)|connection to database (closed|not available)/i;

/** Of the sockets below it, and of the names that they are looked up by. */
const BROKEN = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/**
 * True when the same statement may well succeed in a moment, over another connection. Whether it has taken effect already is
 * not known: who tries again has to be able to tell.
 */
export function isPassing(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (code === INTERNAL) return NONE_TO_LEND.test(String(message));
  if (typeof code === 'string') return PASSING.has(code) || /^(08|53)/.test(code) || BROKEN.has(code);
  // The driver's own errors have no code: a connection that ended, did not come about, or fell silent.
  return /^(Connection terminated|Client has encountered a connection error|timeout exceeded|Query read timeout|connection timeout)/i.test(
    String(message),
  );
}

/** Returns the part of a database failure that callers may see. */
export function storageFailure(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError('STORAGE_FAILED', describe(error), { cause: error, retryable: isPassing(error) });
}

function describe(error: unknown): string {
  // An error that only says "cannot be reached" would send operators to the network first.
  if ((error as { readonly code?: unknown } | null)?.code === DISK_FULL)
    return 'The disk of the database is full. Free some space; nothing that was acknowledged is lost.';
  return isPassing(error)
    ? 'The database cannot be reached. Try again in a moment.'
    : 'The storage cannot be read or written.';
}
