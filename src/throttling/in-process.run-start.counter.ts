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
  private readonly startsOf = new Map<string, Starts>();
  private sweptAt = 0;

  /** How many principals have started something of late. */
  get principals(): number {
    return this.startsOf.size;
  }

  override async increment(key: string, ttl: number, limit: number) {
    const now = Date.now();
    if (now - this.sweptAt >= ttl) this.sweep(now, ttl);
    const starts = this.startsOf.get(key) ?? { times: [], from: 0 };
    this.startsOf.set(key, starts);

    passOver(starts, now - ttl);
    const isBlocked = starts.times.length - starts.from >= limit;
    if (!isBlocked) starts.times.push(now);
    const oldest = starts.times[starts.from] ?? now;
    const wait = Math.max(1, Math.ceil((oldest + ttl - now) / 1000));
    return {
      totalHits: starts.times.length - starts.from + (isBlocked ? 1 : 0),
      timeToExpire: wait,
      isBlocked,
      timeToBlockExpire: isBlocked ? wait : 0,
    };
  }

  /** Once in a `ttl`: who has started nothing for as long is forgotten. */
  private sweep(now: number, ttl: number): void {
    this.sweptAt = now;
    for (const [key, { times }] of this.startsOf) {
      if ((times.at(-1) ?? 0) <= now - ttl) this.startsOf.delete(key);
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
