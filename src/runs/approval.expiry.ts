import { Injectable, Logger } from '@nestjs/common';
import { ApprovalService } from './approval.service.js';
import { RunStore } from './run.store.js';

/** How often to look for approvals that have expired. */
const SWEEP_MS = 10_000;

/** Runs looked up at a time. */
const RUNS_AT_A_TIME = 100;

/**
 * Denies approvals that nobody has answered in time, so that their agents can say so. Several processes may do it at once: an answer counts
 * once.
 */
@Injectable()
export class ApprovalExpiry {
  private readonly logger = new Logger(ApprovalExpiry.name);
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> | undefined;

  constructor(
    private readonly runs: RunStore,
    private readonly approvals: ApprovalService,
    private readonly now: () => number = Date.now,
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
      .catch((error: unknown) => this.logger.error({ err: error }, 'Expired approvals could not be closed.'))
      .finally(() => (this.sweeping = undefined));
    return this.sweeping;
  }

  private async work(): Promise<void> {
    for (const run of await this.runs.listExpired(RUNS_AT_A_TIME)) {
      await this.approvals.expire(run, this.now());
    }
  }
}
