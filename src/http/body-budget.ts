import { AppError } from '../errors.js';
import type { Principal } from '../principal.js';
import { principalKey } from '../throttling/principal-key.js';

/** Bytes of request bodies that may be held at a time. */
export interface BodyLimits {
  readonly inProcess: number;
  /** Of one address: a household, an office, a proxy that is not configured as one. */
  readonly perAddress: number;
  readonly perPrincipal: number;
  /** Of all callers together who are not known, because their credentials are in the body. */
  readonly ofStrangers: number;
}

/** One address may hold half of it, one principal a quarter, and all strangers together an eighth. */
export function bodyLimitsWithin(inProcess: number): BodyLimits {
  return { inProcess, perAddress: inProcess / 2, perPrincipal: inProcess / 4, ofStrangers: inProcess / 8 };
}

interface Holder {
  readonly key: string;
  readonly limit: number;
  readonly refuse: () => AppError;
}

/** Counts the bytes of bodies in flight: from the first byte until the body is parsed, stored or refused. */
export class BodyBudget {
  private readonly heldBytes = new Map<string, number>();

  constructor(private readonly limits: BodyLimits) {}

  /** Bytes held now. */
  get size(): number {
    return this.heldBytes.get('process') ?? 0;
  }

  /** Opens the share of one request. */
  open(address: string, principal: Principal | undefined): BodyShare {
    const { inProcess, perAddress, perPrincipal, ofStrangers } = this.limits;
    return new BodyShare(this.heldBytes, [
      principal
        ? { key: `principal ${principalKey(principal)}`, limit: perPrincipal, refuse: createTooLargeError }
        : { key: 'strangers', limit: ofStrangers, refuse: createBusyError },
      { key: `address ${address}`, limit: perAddress, refuse: createTooLargeError },
      { key: 'process', limit: inProcess, refuse: createBusyError },
    ]);
  }
}

/** The bytes that one request holds. */
export class BodyShare {
  private bytes = 0;

  constructor(
    private readonly heldBytes: Map<string, number>,
    private readonly holders: readonly Holder[],
  ) {}

  /** @throws AppError `RATE_LIMITED` or `SERVER_BUSY` when so much more does not fit */
  assertFits(bytes: number): void {
    for (const { key, limit, refuse } of this.holders)
      if ((this.heldBytes.get(key) ?? 0) + bytes > limit) throw refuse();
  }

  /** @throws AppError as `assertFits`, and then takes nothing */
  take(bytes: number): void {
    this.assertFits(bytes);
    this.add(bytes);
  }

  /** Gives everything back. */
  release(): void {
    this.add(-this.bytes);
  }

  private add(bytes: number): void {
    this.bytes += bytes;
    for (const { key } of this.holders) {
      const bytesAfter = (this.heldBytes.get(key) ?? 0) + bytes;
      if (bytesAfter === 0) this.heldBytes.delete(key);
      else this.heldBytes.set(key, bytesAfter);
    }
  }
}

const RETRY = { retryable: true, details: { retryAfterSeconds: 1 } };

function createTooLargeError(): AppError {
  return new AppError(
    'RATE_LIMITED',
    'Too many large requests at a time. Send one after the other, or try again in a second.',
    RETRY,
  );
}

function createBusyError(): AppError {
  return new AppError(
    'SERVER_BUSY',
    'The server reads as many requests as it can at a time. Try again in a second.',
    RETRY,
  );
}
