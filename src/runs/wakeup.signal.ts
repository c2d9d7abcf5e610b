import type { Wakeups, WakeupTopic } from './wakeups.js';

/**
 * The hints that one reader waits for: any number that come while it is busy count as one. The reader clears them, reads, and
 * waits for the next, so that a hint that comes while it reads makes it read again.
 */
export class WakeupSignal {
  private readonly stop: () => void;
  private readonly rechecking: NodeJS.Timeout;
  private hinted = false;
  private closed = false;
  private wake: (() => void) | undefined;

  /**
   * Listens from now on, until it is closed.
   *
   * @param recheckMs counts as a hint whenever that long has passed: what a lost hint costs
   */
  constructor(wakeups: Wakeups, topic: WakeupTopic, recheckMs: number) {
    const hint = () => this.hint();
    this.stop = wakeups.listen(topic, hint);
    // One timer for its whole life: one for each wait would cost a reader more than its waiting.
    this.rechecking = setInterval(hint, recheckMs);
  }

  /** Forgets the hints so far: what they were about is about to be read. */
  clear(): void {
    this.hinted = this.closed;
  }

  /**
   * Calls `wake` once: at the next hint, or now if one came since `clear`. A call and not a promise, of which each of a
   * run's readers, and there may be thousands, would need a new one for each event.
   */
  next(wake: () => void): void {
    if (this.hinted) wake();
    else this.wake = wake;
  }

  /** Wakes the reader for good: it goes on, and no later wait blocks. */
  close(): void {
    this.stop();
    clearInterval(this.rechecking);
    this.closed = true;
    this.hint();
  }

  private hint(): void {
    this.hinted = true;
    const { wake } = this;
    // Forgotten first: before it returns, it may wait again.
    this.wake = undefined;
    wake?.();
  }
}
