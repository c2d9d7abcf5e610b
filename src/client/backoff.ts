/** Waiting times between attempts, in milliseconds. */
export interface Backoff {
  /** Before the second attempt; doubled before each further one. Default 500. */
  readonly baseMs: number;
  /** No wait is longer, unless the server asks for it. Default 30,000. */
  readonly maxMs: number;
}

export const DEFAULT_BACKOFF: Backoff = { baseMs: 500, maxMs: 30_000 };

/**
 * The wait after failure number `failures` (from 1): exponential, of which the upper half is left to chance, so that the
 * clients of a restarted server do not all come back in the same moment.
 *
 * @param random from 0 up to 1
 */
export function backoffMs(failures: number, { baseMs, maxMs }: Backoff, random: number): number {
  const full = Math.min(maxMs, baseMs * 2 ** (failures - 1));
  return Math.round((full * (1 + random)) / 2);
}

/** Resolves after a time. @throws the signal's reason when that is aborted */
export function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
