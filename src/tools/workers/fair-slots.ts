import { AppError } from '../../errors.js';

export interface FairSlotsOptions {
  /** Holders at once. Default: no limit. */
  readonly size?: number;
  /** Holders at once of one key. Default: no limit. */
  readonly perKey?: number;
  /** Those that wait, of all keys together. One more is refused. Default 1,000. */
  readonly maxWaiting?: number;
  /** Those that wait, of one key. One more is refused. Default 200. */
  readonly maxWaitingPerKey?: number;
}

/** Gives a slot back. A second call changes nothing. */
export type Release = () => void;

interface Waiting {
  readonly take: () => void;
}

/** Slots that are handed out in turns: one for each key that waits, and then the next for each, whatever number of them one has asked for. */
export class FairSlots {
  readonly #size: number;
  readonly #perKey: number;
  readonly #maxWaiting: number;
  readonly #maxWaitingPerKey: number;
  readonly #held = new Map<string, number>();
  /** In the order of turns. Insertion order is what a Map keeps. */
  readonly #queues = new Map<string, Waiting[]>();
  #busy = 0;
  #waiting = 0;

  constructor({
    size = Infinity,
    perKey = Infinity,
    maxWaiting = 1_000,
    maxWaitingPerKey = 200,
  }: FairSlotsOptions) {
    this.#size = size;
    this.#perKey = perKey;
    this.#maxWaiting = maxWaiting;
    this.#maxWaitingPerKey = maxWaitingPerKey;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Takes a slot if one is free now. */
  tryEnter(key: string): Release | undefined {
    return this.#isFree(key) ? this.#take(key) : undefined;
  }

  /**
   * Resolves with a slot once it is this key's turn.
   *
   * @throws AppError `TOOL_FAILED`, retryable, when too many wait; the signal's reason, at once, when that is aborted
   */
  async enter(key: string, signal: AbortSignal): Promise<Release> {
    signal.throwIfAborted();
    const release = this.tryEnter(key);
    if (release) return release;
    const queue = this.#queues.get(key) ?? [];
    if (this.#waiting >= this.#maxWaiting || queue.length >= this.#maxWaitingPerKey) {
      throw new AppError('TOOL_FAILED', 'Too many calls wait already. Make fewer at once.', {
        retryable: true,
      });
    }
    const { promise, resolve, reject } = Promise.withResolvers<Release>();
    const waiting: Waiting = { take: () => resolve(this.#take(key)) };
    queue.push(waiting);
    this.#queues.set(key, queue);
    this.#waiting += 1;
    const abort = (): void => {
      this.#withdraw(key, waiting);
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  #isFree(key: string): boolean {
    return this.#busy < this.#size && (this.#held.get(key) ?? 0) < this.#perKey;
  }

  #take(key: string): Release {
    this.#busy += 1;
    this.#held.set(key, (this.#held.get(key) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#give(key);
    };
  }

  #give(key: string): void {
    this.#busy -= 1;
    const held = this.#held.get(key)! - 1;
    if (held === 0) this.#held.delete(key);
    else this.#held.set(key, held);
    this.#next();
  }

  #next(): void {
    for (const [key, queue] of this.#queues) {
      if (!this.#isFree(key)) continue;
      this.#queues.delete(key);
      const first = queue.shift()!;
      // To the end of the line of keys.
      if (queue.length > 0) this.#queues.set(key, queue);
      this.#waiting -= 1;
      return first.take();
    }
  }

  #withdraw(key: string, waiting: Waiting): void {
    const queue = this.#queues.get(key);
    const index = queue?.indexOf(waiting) ?? -1;
    if (!queue || index === -1) return;
    queue.splice(index, 1);
    if (queue.length === 0) this.#queues.delete(key);
    this.#waiting -= 1;
  }
}
