import type { Wakeups, WakeupTopic } from './wakeups.js';

/**
 * The hints that one reader waits for: any number that come while it is busy count as one. The reader clears them, reads, and
 * waits for the next, so that a hint that comes while it reads makes it read again.
 */
export class Hints {
  private readonly stop: () => void;
  private hinted = false;
  private wake: (() => void) | undefined;

  /** Listens from now on, until it is closed. */
  constructor(wakeups: Wakeups, topic: WakeupTopic) {
    this.stop = wakeups.listen(topic, () => {
      this.hinted = true;
      this.wake?.();
    });
  }

  /** Forgets the hints so far: what they were about is about to be read. */
  clear(): void {
    this.hinted = false;
  }

  /** Resolves at a hint, also at one that came since `clear`, and after `timeoutMs` without any. */
  next(timeoutMs: number): Promise<void> {
    if (this.hinted) return Promise.resolve();
    return new Promise((resolve) => {
      const goOn = () => {
        clearTimeout(timer);
        this.wake = undefined;
        resolve();
      };
      const timer = setTimeout(goOn, timeoutMs);
      this.wake = goOn;
    });
  }

  /** Who waits goes on, and nobody waits again. */
  close(): void {
    this.stop();
    this.hinted = true;
    this.wake?.();
  }
}
