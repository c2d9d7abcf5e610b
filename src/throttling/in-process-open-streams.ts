import type { Owner } from '../principal.js';
import { OpenStreams, releaseOnce, createTooManyStreamsError, type Release } from './open-streams.js';
import { principalKey } from './principal-key.js';

/** Counts in this process. A principal without open streams takes no memory. */
export class InProcessOpenStreams extends OpenStreams {
  private readonly counts = new Map<string, number>();

  constructor(private readonly limit: number) {
    super();
  }

  override get principals(): number {
    return this.counts.size;
  }

  override async acquire(owner: Owner): Promise<Release> {
    const key = principalKey(owner);
    const open = this.counts.get(key) ?? 0;
    if (open >= this.limit) throw createTooManyStreamsError(this.limit);
    this.counts.set(key, open + 1);
    return releaseOnce(() => this.release(key));
  }

  private release(key: string): void {
    const open = this.counts.get(key) ?? 0;
    if (open > 1) this.counts.set(key, open - 1);
    else this.counts.delete(key);
  }
}
