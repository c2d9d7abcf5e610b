import { AppError } from '../errors.js';
import type { Owner } from '../principal.js';
import { principalKey } from './principal-key.js';

/** Limits of concurrent reads of logs and threads. Each may have a whole answer in memory, of up to some ten MiB. */
export interface ReadLimits {
  /** Of one principal, counted until the client has taken the answer. Default 2. */
  readonly perPrincipal: number;
  /** Of this process, counted until the answer is made. Default 6. */
  readonly perProcess: number;
  /** Reads of one principal that wait for their turn; beyond it `RATE_LIMITED`. Default 30. */
  readonly waiting: number;
}

export const DEFAULT_READ_LIMITS: ReadLimits = { perPrincipal: 2, perProcess: 6, waiting: 30 };

/** A read that is at work. Both methods may be called again, and in any order. */
export interface ReadSlot {
  /** Says that the answer is made: somebody else may read now. */
  replyStarted(): void;
  /** Says that the client has the answer, or has left. */
  release(): void;
}

export interface Waiting {
  /** Aborts the wait, which then rejects with its reason. */
  readonly closed?: AbortSignal | undefined;
  /** Number of reads that the principal may already have waiting. Default: as the limits say. */
  readonly mostWaiting?: number | undefined;
}

interface Reader {
  heldCount: number;
  readonly waiting: ((slot: ReadSlot) => void)[];
}

const RETRY_AFTER_SECONDS = 1;

/**
 * Rest of a principal's slot after a reply, as a multiple of the time that the reply took. Answers are made by the thread that also
 * speaks to everybody else; without a rest, one principal could keep it busy all the time.
 */
const RESTS_FOR = 2;
const LONGEST_REST_MS = 500;

/**
 * The reads of logs and threads that this process has at work. Who asks for more than a few waits; principals take turns, so that
 * no principal waits for all requests of another.
 */
export class ReadSlots {
  /** In the order of their turns. Without a read, a principal takes no memory. */
  private readonly readers = new Map<string, Reader>();
  private atWork = 0;

  constructor(private readonly limits: ReadLimits = DEFAULT_READ_LIMITS) {}

  /** Number of principals that read or wait. */
  get principals(): number {
    return this.readers.size;
  }

  /**
   * Waits for a turn.
   *
   * @throws AppError `RATE_LIMITED` when the principal has too many reads waiting
   */
  acquire(owner: Owner, { closed, mostWaiting = this.limits.waiting }: Waiting = {}): Promise<ReadSlot> {
    const key = principalKey(owner);
    const reader = this.readers.get(key) ?? { heldCount: 0, waiting: [] };
    if (reader.waiting.length >= mostWaiting) return Promise.reject(createTooManyReadsError(this.limits));
    this.readers.set(key, reader);
    const { promise, resolve, reject } = Promise.withResolvers<ReadSlot>();
    reader.waiting.push(resolve);
    const leave = () => {
      const index = reader.waiting.indexOf(resolve);
      if (index === -1) return;
      reader.waiting.splice(index, 1);
      this.forgetIdle(key, reader);
      reject(closed?.reason as Error);
    };
    if (closed?.aborted) leave();
    else closed?.addEventListener('abort', leave, { once: true });
    this.grant();
    return promise;
  }

  /** Gives free places to those whose turn it is. */
  private grant(): void {
    const { perPrincipal, perProcess } = this.limits;
    while (this.atWork < perProcess) {
      const next = [...this.readers].find(
        ([, { heldCount, waiting }]) => waiting.length > 0 && heldCount < perPrincipal,
      );
      if (!next) return;
      const [key, reader] = next;
      // Behind all others, for its next turn.
      this.readers.delete(key);
      this.readers.set(key, reader);
      reader.heldCount += 1;
      this.atWork += 1;
      reader.waiting.shift()?.(this.createSlot(key, reader));
    }
  }

  private createSlot(key: string, reader: Reader): ReadSlot {
    let state: 'at-work' | 'answered' | 'released' = 'at-work';
    const beganAt = performance.now();
    let restsUntil = beganAt;
    const answered = () => {
      if (state !== 'at-work') return;
      state = 'answered';
      const now = performance.now();
      restsUntil = now + Math.min(LONGEST_REST_MS, (now - beganAt) * RESTS_FOR);
      this.atWork -= 1;
      this.grant();
    };
    return {
      replyStarted: answered,
      release: () => {
        answered();
        if (state === 'released') return;
        state = 'released';
        const restMs = restsUntil - performance.now();
        if (restMs < 1) this.giveBack(key, reader);
        else setTimeout(() => this.giveBack(key, reader), restMs).unref();
      },
    };
  }

  private giveBack(key: string, reader: Reader): void {
    reader.heldCount -= 1;
    this.forgetIdle(key, reader);
    this.grant();
  }

  private forgetIdle(key: string, { heldCount, waiting }: Reader): void {
    if (heldCount === 0 && waiting.length === 0) this.readers.delete(key);
  }
}

function createTooManyReadsError({ waiting }: ReadLimits): AppError {
  return new AppError(
    'RATE_LIMITED',
    `At most ${waiting} reads can wait at once. Try again in ${RETRY_AFTER_SECONDS} s.`,
    { retryable: true, details: { retryAfterSeconds: RETRY_AFTER_SECONDS } },
  );
}
