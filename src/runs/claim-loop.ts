import type { RunResume } from '../events/run-event.js';

type Reason = RunResume['reason'];

/** The calls by which the loop uses its worker. */
export interface Claimer {
  /** Counts the runs that may be taken on now. */
  countFreeSlots(): number;
  /** Claims the run whose turn it is, and takes it on. False if none waits. */
  claimNext(resumed: Reason): Promise<boolean>;
  /** Hears of a claim that failed. The next request, or the next sweep, tries again. */
  onFailure(error: unknown): void;
}

/**
 * Claims runs one after the other, while some wait and there are free slots. Only one claim is under way at a time. The loop is in
 * one of three modes:
 *
 * - `resting`: nothing is under way. The next request starts a round.
 * - `looking`: a claim is under way, and nothing was heard since it was sent. If it finds no run, the round is over.
 * - `asked`: somebody has asked since the last claim was sent, so its answer may be out of date. The round goes on with
 *   another claim, as long as there is a free slot. A run that was found asks as well: another may wait behind it.
 *
 * Beside the mode, the loop knows whether a backlog is possible: whether runs may wait that only this process knows it had no slot
 * for. New runs then have to queue behind them. A claim that finds nothing is the proof that there is none.
 */
export class ClaimLoop {
  private mode: 'resting' | 'asked' | 'looking' = 'resting';
  private round: Promise<void> = Promise.resolve();
  private backlogIsPossible = false;

  constructor(private readonly claimer: Claimer) {}

  /** True if runs may be waiting because a slot was missing here. */
  get mayHaveBacklog(): boolean {
    return this.backlogIsPossible;
  }

  /** True if a claim may bring a run at any moment. */
  get isActive(): boolean {
    return this.mode !== 'resting';
  }

  /** Resolves when the round that is under way is over; at once where there is none. */
  settled(): Promise<void> {
    return this.round;
  }

  /**
   * Looks for runs, or has the round that is under way look again. Resolves when that round is over; never rejects.
   *
   * @param resumed why the runs of this round have a new owner. A round that is under way keeps its own reason.
   */
  ask(resumed: Reason): Promise<void> {
    const begins = this.mode === 'resting';
    this.mode = 'asked';
    if (begins) this.round = this.work(resumed);
    return this.round;
  }

  /** Notes that a run could not be taken on, because no slot was free. */
  noteBacklog(): void {
    this.backlogIsPossible = true;
  }

  /** `asked` to `looking`: the claim that is sent now may not know what is heard from here on. */
  private beginLooking(): void {
    if (this.mode !== 'asked') throw new Error(`No claim was asked for: the loop is ${this.mode}.`);
    this.mode = 'looking';
  }

  /** `looking` or `asked` to `asked`, when a claim has found a run. */
  private lookOn(): void {
    if (this.mode === 'resting') throw new Error('A claim has found a run outside of any round.');
    this.mode = 'asked';
  }

  /** `looking` or `asked` to `resting`. If it is `asked`, a slot was missing for what may be waiting. */
  private rest(): void {
    if (this.mode === 'resting') throw new Error('A round has ended twice.');
    if (this.mode === 'asked') this.noteBacklog();
    this.mode = 'resting';
  }

  private async work(resumed: Reason): Promise<void> {
    await this.claimAll(resumed);
    // Asked while the last claim failed.
    while (this.mustLook()) await this.claimAll('takeover');
    this.rest();
  }

  private async claimAll(resumed: Reason): Promise<void> {
    try {
      while (this.mustLook()) {
        this.beginLooking();
        if (await this.claimer.claimNext(resumed)) this.lookOn();
        else this.backlogIsPossible = false;
      }
    } catch (error) {
      this.claimer.onFailure(error);
    }
  }

  private mustLook(): boolean {
    return this.mode === 'asked' && this.claimer.countFreeSlots() > 0;
  }
}
