import { Injectable } from '@nestjs/common';
import { InputExpiry } from './input-expiry.js';
import { RetentionService } from './retention.service.js';
import { RunHookCalls } from './run.hooks.js';
import { RunWorker } from './run.worker.js';

/** Starts and stops what works on runs by itself, in the one order in which that is right. */
@Injectable()
export class RunsLifecycle {
  constructor(
    private readonly executor: RunWorker,
    private readonly retention: RetentionService,
    private readonly expiry: InputExpiry,
    private readonly hooks: RunHookCalls,
  ) {}

  /** Takes on runs from now on. The storage is open, and all agents are registered. */
  async start(): Promise<void> {
    await this.executor.start();
    this.retention.start();
    this.expiry.start();
  }

  /** Runs that this process owns now, and how many it may own at a time. */
  get load(): { readonly runs: number; readonly maxRuns: number } {
    return { runs: this.executor.size, maxRuns: this.executor.maxSize };
  }

  /** Gives the runs in hand back, and waits for the hooks that they have called: up to `windowMs` for either. */
  async drain(windowMs: number): Promise<void> {
    await this.executor.drain(windowMs);
    await this.hooks.settled(windowMs);
  }

  /** Resolves when nothing uses the storage any more. */
  async stop(): Promise<void> {
    await this.retention.stop();
    await this.expiry.stop();
  }
}
