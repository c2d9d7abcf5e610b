import { Injectable, Logger } from '@nestjs/common';
import { InputService } from './input.service.js';
import { RunStore } from './run.store.js';

/** Time between two looks for expired inputs, in milliseconds. */
const SWEEP_MS = 10_000;

/** Runs looked up at a time. */
const RUNS_AT_A_TIME = 100;

/**
 * Denies approvals that were not answered in time, so that their agents can say so. Several processes may do it at once: an answer counts
 * once.
 */
@Injectable()
export class InputExpiry {
  private readonly logger = new Logger(InputExpiry.name);
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> | undefined;

  constructor(
    private readonly runs: RunStore,
    private readonly inputs: InputService,
  ) {}

  /** From now on looks every few seconds. */
  start(): void {
    this.timer = setInterval(() => void this.sweep(), SWEEP_MS).unref();
  }

  /** Resolves when a sweep that is under way is done. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.sweeping;
  }

  /** Denies everything that is due now. Never rejects: what fails is logged, and tried again in the next sweep. */
  sweep(): Promise<void> {
    this.sweeping ??= this.work()
      .catch((error: unknown) => this.logger.error({ err: error }, 'Expired inputs could not be closed.'))
      .finally(() => (this.sweeping = undefined));
    return this.sweeping;
  }

  private async work(): Promise<void> {
    for (const run of await this.runs.listExpired(RUNS_AT_A_TIME)) {
      await this.inputs.expire(run, Date.now());
    }
  }
}
