import { setTimeout as pause } from 'node:timers/promises';

/** The rest after each piece of work: it may take hours if need be, and no run waits for it. */
const REST_MS = 5;

export interface PeriodicWorkOptions {
  /** Does the work, and yields after each piece of it. `signal` aborts when nothing may follow. */
  readonly pieces: (signal: AbortSignal) => AsyncIterable<void>;
  /** Time between the end of the work and its next beginning, in milliseconds. */
  readonly everyMs: number;
  /** Called when the work has failed. It is begun again after a period. */
  readonly onFailure: (error: unknown) => void;
}

/** Work in small pieces that is done again and again, with a rest after each piece. */
export class PeriodicWork {
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> | undefined;

  constructor(private readonly options: PeriodicWorkOptions) {}

  /** Works from now on. The first time after a period, so that a start is not slower for it. */
  start(): void {
    this.timer = setTimeout(() => {
      void this.run().finally(() => {
        if (!this.stopping.signal.aborted) this.start();
      });
    }, this.options.everyMs).unref();
  }

  /** Resolves when the piece in hand is done or given up. Nothing follows it. */
  async stop(): Promise<void> {
    clearTimeout(this.timer);
    this.stopping.abort();
    await this.working;
  }

  /** Does all work that is due now, unless it is being done: then waits for that. Never rejects. */
  run(): Promise<void> {
    this.working ??= this.work().finally(() => (this.working = undefined));
    return this.working;
  }

  private async work(): Promise<void> {
    const { pieces, onFailure } = this.options;
    const { signal } = this.stopping;
    try {
      for await (const _ of pieces(signal)) {
        if (signal.aborted) return;
        await pause(REST_MS, undefined, { ref: false });
      }
    } catch (error) {
      if (!signal.aborted) onFailure(error);
    }
  }
}
