import { RunStartCounter } from './run-start.counter.js';

/** The starts of one principal that still count, the oldest first. What is before `from` is over. */
interface Starts {
  times: number[];
  from: number;
}

/**
 * Run starts in this process. A service that starts thousands of runs a minute with one credential costs no more for each
 * than somebody who starts one: what is over is passed by, not searched for.
 */
export class InProcessRunStartCounter extends RunStartCounter {
  private readonly startsByPrincipal = new Map<string, Starts>();
  private sweptAt = 0;

  /** Number of principals that have started something recently. */
  get principals(): number {
    return this.startsByPrincipal.size;
  }

  override async increment(key: string, ttl: number, limit: number) {
    const now = performance.now();
    if (now - this.sweptAt >= ttl) this.sweep(now, ttl);
    const starts = this.startsByPrincipal.get(key) ?? { times: [], from: 0 };
    this.startsByPrincipal.set(key, starts);

    passOver(starts, now - ttl);
    const isBlocked = starts.times.length - starts.from >= limit;
    if (!isBlocked) starts.times.push(now);
    const oldest = starts.times[starts.from] ?? now;
    // In this order: `oldest + ttl - now` is rounded, and may be a hair above `ttl`, which is a second too many.
    const wait = Math.max(1, Math.ceil((ttl - (now - oldest)) / 1000));
    return {
      totalHits: starts.times.length - starts.from + (isBlocked ? 1 : 0),
      timeToExpire: wait,
      isBlocked,
      timeToBlockExpire: isBlocked ? wait : 0,
    };
  }

  override async giveBack(key: string): Promise<void> {
    const starts = this.startsByPrincipal.get(key);
    if (starts && starts.times.length > starts.from) starts.times.pop();
  }

  /** Once in a `ttl`: who has started nothing for as long is forgotten. */
  private sweep(now: number, ttl: number): void {
    this.sweptAt = now;
    for (const [key, { times }] of this.startsByPrincipal) {
      if ((times.at(-1) ?? 0) <= now - ttl) this.startsByPrincipal.delete(key);
    }
  }
}

function passOver(starts: Starts, until: number): void {
  const { times } = starts;
  while (starts.from < times.length && (times[starts.from] ?? 0) <= until) starts.from += 1;
  // Half of it is over: each time was moved at most once then.
  if (starts.from * 2 > times.length) {
    starts.times = times.slice(starts.from);
    starts.from = 0;
  }
}
