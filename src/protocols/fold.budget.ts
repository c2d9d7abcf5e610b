import { Injectable } from '@nestjs/common';
import type { Owner } from '../principal.js';
import { principalKey } from '../throttling/principal-key.js';

/** Limits of the memory that readers of streams may use for events they have read, in bytes, beyond each reader's free share. */
export interface FoldLimits {
  readonly free: number;
  readonly perPrincipal: number;
  readonly perProcess: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_FOLD_LIMITS: FoldLimits = {
  free: MIB,
  perPrincipal: 32 * MIB,
  perProcess: 128 * MIB,
};

/**
 * Bounds what the streams of protocols keep of the logs that they read. Most clients want to be told at the end what was said from
 * the beginning on, so each reader of a long answer has all of it in memory. A reader for which there is no room waits until
 * others have left. The one that has come first never waits, so one of them always gets to its end.
 */
@Injectable()
export class FoldBudget {
  /** Those that keep more than they have for nothing, in the order in which they came to it. */
  private readonly heavy = new Set<Fold>();
  private readonly limits = DEFAULT_FOLD_LIMITS;

  /** For one reader. */
  open(owner: Owner): Fold {
    return new Fold(principalKey(owner), this.heavy, this.limits);
  }
}

/** The memory that one reader uses. */
export class Fold {
  private bytes = 0;
  private wake: (() => void) | undefined;

  constructor(
    private readonly owner: string,
    private readonly heavy: Set<Fold>,
    private readonly limits: FoldLimits,
  ) {}

  add(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > this.limits.free) this.heavy.add(this);
  }

  /** Undefined when it may read on; else a promise of the moment when it may. */
  ready(): Promise<void> | undefined {
    if (this.bytes <= this.limits.free || this.hasRoom()) return undefined;
    return new Promise((resolve) => {
      this.wake = () => {
        if (this.heavy.has(this) && !this.hasRoom()) return;
        this.wake = undefined;
        resolve();
      };
    });
  }

  /** Its reader has left. Harmless when repeated. */
  close(): void {
    this.bytes = 0;
    if (!this.heavy.delete(this)) return;
    this.wake?.();
    for (const fold of this.heavy) fold.wake?.();
  }

  private hasRoom(): boolean {
    const { free, perPrincipal, perProcess } = this.limits;
    let own = 0;
    let all = 0;
    let isFirst = true;
    for (const { owner, bytes } of this.heavy) {
      all += bytes - free;
      if (owner === this.owner) own += bytes - free;
    }
    if (own <= perPrincipal && all <= perProcess) return true;
    for (const fold of this.heavy) {
      if (fold === this) return isFirst;
      if (all > perProcess || fold.owner === this.owner) isFirst = false;
    }
    return true;
  }
}
