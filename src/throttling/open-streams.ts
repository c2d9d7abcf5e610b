import type { Owner } from '../principal.js';

/** Gives the place back. Calling it again does nothing. */
export type Release = () => void;

/** The port that counts open streams per principal. In-process by default; with several instances each counts for itself. */
export abstract class OpenStreams {
  /**
   * Takes a place for one stream.
   * @throws AppError `TOO_MANY_STREAMS` when the principal has no place left
   */
  abstract acquire(owner: Owner): Promise<Release>;
}
