/** A timer that comes later than this was held up by something that blocked the thread, and not by ordinary work. */
const BLOCK_REPORT_MS = 1_000;

/** Notices that the thread was blocked: a timer that should have come then comes late. */
export class BlockedThread {
  private lastTickAt = performance.now();

  /** @param intervalMs how often `tick` is called */
  constructor(private readonly intervalMs: number) {}

  /** Forgets the time before. */
  reset(): void {
    this.lastTickAt = performance.now();
  }

  /** Returns for how many milliseconds the thread was blocked since the last call; 0 where it was not. */
  tick(): number {
    const now = performance.now();
    const blockedMs = Math.round(now - this.lastTickAt - this.intervalMs);
    this.lastTickAt = now;
    return blockedMs > BLOCK_REPORT_MS ? blockedMs : 0;
  }
}
