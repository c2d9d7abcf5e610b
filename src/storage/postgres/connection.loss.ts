import { AppError } from '../../errors.js';

/**
 * SQLSTATEs that say "not now" rather than "not so", https://www.postgresql.org/docs/current/errcodes-appendix.html: shutting
 * down, crashed, starting, too many connections, a standby that was the primary a moment ago, deadlock, serialization.
 */
const PASSING = new Set(['57P01', '57P02', '57P03', '53300', '25006', '40P01', '40001', '25P03']);

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
  if (typeof code === 'string') return PASSING.has(code) || code.startsWith('08') || BROKEN.has(code);
  // The driver's own errors have no code: a connection that ended, did not come about, or fell silent.
  return /^(Connection terminated|Client has encountered a connection error|timeout exceeded|Query read timeout|connection timeout)/i.test(
    String(message),
  );
}

/** What a caller may see of whatever went wrong with the database. */
export function storageFailure(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const message = isPassing(error)
    ? 'The database cannot be reached. Try again in a moment.'
    : 'The storage cannot be read or written.';
  return new AppError('STORAGE_FAILED', message, { cause: error, retryable: isPassing(error) });
}
