import { AppError } from '../errors.js';
import type { Owner } from '../principal.js';

/** Gives the place back. Calling it again does nothing. */
export type Release = () => void;

/** The port that counts open streams per principal: in this process, or over all instances in what they share. */
export abstract class OpenStreams {
  /**
   * Takes a place for one stream.
   * @throws AppError `TOO_MANY_STREAMS` when the principal has no place left
   */
  abstract acquire(owner: Owner): Promise<Release>;

  /** Number of principals that have an open stream in this process. */
  abstract get principals(): number;
}

/** A stream ends when its reader leaves, which cannot be foreseen: long enough to wait, short enough to try. */
const RETRY_AFTER_SECONDS = 5;

export function createTooManyStreamsError(limit: number): AppError {
  return new AppError(
    'TOO_MANY_STREAMS',
    `At most ${limit} streams can be open at once. Close one, then try again.`,
    { retryable: true, details: { retryAfterSeconds: RETRY_AFTER_SECONDS } },
  );
}

/** A release that works once, however often it is called. */
export function releaseOnce(release: () => void): Release {
  let released = false;
  return () => {
    if (released) return;
    released = true;
    release();
  };
}
