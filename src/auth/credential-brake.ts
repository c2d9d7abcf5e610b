import { createHash } from 'node:crypto';
import { AppError } from '../errors.js';
import { addressBlock } from '../security/caller-address.js';

export interface BrakeOptions {
  /** Wrong credentials that cost nothing, from one address and for one credential. */
  readonly free: number;
  /** The first wait, in milliseconds. It doubles with each further failure. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** After so long without a failure all is forgotten, in milliseconds. */
  readonly forgetAfterMs: number;
  /** Requests that may wait at once, from one address. Further ones are refused. */
  readonly waitingPerAddress: number;
  /** Requests that may wait at once, in all. */
  readonly waiting: number;
  /** Addresses and credentials that are remembered; those that failed longest ago are forgotten first. */
  readonly remembered: number;
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
}

export const DEFAULT_BRAKE: BrakeOptions = {
  free: 5,
  firstWaitMs: 250,
  longestWaitMs: 4_000,
  forgetAfterMs: 10 * 60_000,
  waitingPerAddress: 5,
  waiting: 100,
  remembered: 10_000,
  now: Date.now,
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

interface Failures {
  readonly count: number;
  readonly lastAt: number;
}

/** A request's credentials, for as long as it is looked at. The brake remembers nothing but their digests. */
export interface Attempt {
  readonly address: string;
  /** The digest of each. */
  readonly digests: ReadonlyMap<string, string>;
}

/**
 * Slows down callers who try credentials. After some wrong ones from an address, further ones that are not known to be good wait
 * before they are looked at, each time longer; when too many wait, they are refused. Credentials that were good a while ago never
 * wait, so that colleagues behind the same address go on.
 *
 * The same wrong credential counts once for its address, because it is not a further guess, and each time for itself.
 */
export class CredentialBrake {
  private readonly byAddress: LastUsed<Failures>;
  private readonly byCredential: LastUsed<Failures>;
  private readonly good: LastUsed<number>;
  private readonly waitingAt = new Map<string, number>();
  private waiting = 0;

  constructor(private readonly options: BrakeOptions = DEFAULT_BRAKE) {
    this.byAddress = new LastUsed(options.remembered);
    this.byCredential = new LastUsed(options.remembered);
    this.good = new LastUsed(options.remembered);
  }

  attempt(address: string | undefined, credentials: Iterable<string>): Attempt {
    const digests = new Map([...new Set(credentials)].map((each) => [each, digest(each)]));
    return { address: addressBlock(address ?? 'unknown'), digests };
  }

  /**
   * Waits, if it has to be. Returns for how long it did, in milliseconds.
   * @throws AppError RATE_LIMITED when too many wait already
   */
  async hold({ address, digests }: Attempt): Promise<number> {
    const { free, firstWaitMs, longestWaitMs, wait } = this.options;
    const unknown = [...digests.values()].filter((each) => !this.isGood(each));
    if (unknown.length === 0) return 0;
    const failures = [
      this.count(this.byAddress, address),
      ...unknown.map((each) => this.count(this.byCredential, each)),
    ];
    const beyond = Math.max(...failures) - free;
    if (beyond < 0) return 0;
    const waitMs = Math.min(firstWaitMs * 2 ** Math.min(beyond, 30), longestWaitMs);
    const here = this.waitingAt.get(address) ?? 0;
    if (here >= this.options.waitingPerAddress || this.waiting >= this.options.waiting)
      throw createTooManyError(waitMs);
    this.waitingAt.set(address, here + 1);
    this.waiting += 1;
    try {
      await wait(waitMs);
    } finally {
      this.waiting -= 1;
      const remaining = (this.waitingAt.get(address) ?? 1) - 1;
      if (remaining > 0) this.waitingAt.set(address, remaining);
      else this.waitingAt.delete(address);
    }
    return waitMs;
  }

  /** This one has just been believed. */
  succeeded({ digests }: Attempt, credential: string): void {
    const good = digests.get(credential);
    if (good !== undefined) this.good.set(good, this.options.now());
  }

  /** @param guessed false for what was good once, such as a token that has expired: it tells nothing of its sender */
  failed({ address, digests }: Attempt, credential: string, guessed: boolean): void {
    const wrong = digests.get(credential);
    if (wrong === undefined) return;
    const isNew = this.count(this.byCredential, wrong) === 0;
    this.good.delete(wrong);
    this.add(this.byCredential, wrong);
    if (guessed && isNew) this.add(this.byAddress, address);
  }

  private isGood(credential: string): boolean {
    const at = this.good.get(credential);
    return at !== undefined && this.options.now() - at < this.options.forgetAfterMs * 6;
  }

  private count(failures: LastUsed<Failures>, key: string): number {
    const known = failures.get(key);
    return known && this.options.now() - known.lastAt < this.options.forgetAfterMs ? known.count : 0;
  }

  private add(failures: LastUsed<Failures>, key: string): void {
    failures.set(key, { count: this.count(failures, key) + 1, lastAt: this.options.now() });
  }
}

/** A map that forgets what was set longest ago. */
class LastUsed<Value> {
  private readonly entries = new Map<string, Value>();

  constructor(private readonly size: number) {}

  get(key: string): Value | undefined {
    return this.entries.get(key);
  }

  set(key: string, value: Value): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size <= this.size) return;
    const [oldest] = this.entries.keys();
    if (oldest !== undefined) this.entries.delete(oldest);
  }

  delete(key: string): void {
    this.entries.delete(key);
  }
}

function digest(credential: string): string {
  return createHash('sha256').update(credential).digest('base64url');
}

function createTooManyError(waitMs: number): AppError {
  return new AppError('RATE_LIMITED', 'Too many wrong credentials came from this address. Try again later.', {
    retryable: true,
    details: { retryAfterSeconds: Math.ceil(waitMs / 1000) },
  });
}
