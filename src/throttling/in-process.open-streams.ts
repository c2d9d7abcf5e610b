import { AppError } from '../errors.js';
import type { Owner } from '../principal.js';
import { OpenStreams, type Release } from './open-streams.js';
import { principalKey } from './principal-key.js';

/** A stream ends when its reader leaves, so nobody knows when: long enough to wait, short enough to try. */
const RETRY_AFTER_SECONDS = 5;

/** Counts in this process. A principal without open streams takes no memory. */
export class InProcessOpenStreams extends OpenStreams {
  private readonly counts = new Map<string, number>();

  constructor(private readonly limit: number) {
    super();
  }

  /** How many principals have an open stream. */
  get principals(): number {
    return this.counts.size;
  }

  override async acquire(owner: Owner): Promise<Release> {
    const key = principalKey(owner);
    const open = this.counts.get(key) ?? 0;
    if (open >= this.limit)
      throw new AppError(
        'TOO_MANY_STREAMS',
        `At most ${this.limit} streams can be open at once. Close one, then try again.`,
        { retryable: true, details: { retryAfterSeconds: RETRY_AFTER_SECONDS } },
      );
    this.counts.set(key, open + 1);
    return once(() => this.release(key));
  }

  private release(key: string): void {
    const open = this.counts.get(key) ?? 0;
    if (open > 1) this.counts.set(key, open - 1);
    else this.counts.delete(key);
  }
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
