import { nanoid } from 'nanoid';
import type { Owner } from '../principal.js';
import { OpenStreams, releaseOnce, createTooManyStreamsError, type Release } from './open-streams.js';
import { principalKey } from './principal-key.js';

/** A place that this process holds. */
export interface HeldSlot {
  readonly id: string;
  readonly principal: string;
}

/** Time for which a dead process still holds its slots, in milliseconds. Slots are prolonged three times in that time. */
export const HOLD_MS = 30_000;

/**
 * Open streams over all instances. A place is held for a while and prolonged as long as its stream is open, so that the places
 * of a dead process become free by themselves.
 */
export abstract class SharedOpenStreams extends OpenStreams {
  private readonly held = new Map<string, HeldSlot>();
  private prolonging: NodeJS.Timeout | undefined;

  constructor(protected readonly limit: number) {
    super();
  }

  /** Takes the place for `HOLD_MS`; false when the principal has none left. One atomic step. */
  protected abstract take(place: HeldSlot): Promise<boolean>;

  protected abstract prolong(places: readonly HeldSlot[]): Promise<void>;

  protected abstract giveBack(place: HeldSlot): Promise<void>;

  /** Number of slots that this process holds. */
  get size(): number {
    return this.held.size;
  }

  override get principals(): number {
    return new Set([...this.held.values()].map(({ principal }) => principal)).size;
  }

  override async acquire(owner: Owner): Promise<Release> {
    const place: HeldSlot = { id: nanoid(), principal: principalKey(owner) };
    if (!(await this.take(place))) throw createTooManyStreamsError(this.limit);
    this.held.set(place.id, place);
    this.prolonging ??= setInterval(() => this.prolongAll(), HOLD_MS / 3).unref();
    return releaseOnce(() => this.release(place));
  }

  private release(place: HeldSlot): void {
    this.held.delete(place.id);
    if (this.held.size === 0) {
      clearInterval(this.prolonging);
      this.prolonging = undefined;
    }
    // A slot that cannot be given back becomes free when it is not prolonged.
    this.giveBack(place).catch(() => undefined);
  }

  private prolongAll(): void {
    this.prolong([...this.held.values()]).catch(() => undefined);
  }
}
