import { Injectable } from '@nestjs/common';
import type { ToolRun } from './agent-tool.js';
import { FairSlots, type Release } from './workers/fair-slots.js';
import { fairnessKey } from './workers/worker-pool.js';

/** Limits of concurrent tool calls in this process. Further ones wait. */
export interface ToolConcurrency {
  /** Of one run. Default 10. */
  readonly perRun: number;
  /** Of all runs of one principal. Default 40. */
  readonly perPrincipal: number;
}

export const DEFAULT_TOOL_CONCURRENCY: ToolConcurrency = { perRun: 10, perPrincipal: 40 };

// How many may wait, the run's limit of tool calls says.
const ENDLESS_QUEUE = { maxWaiting: Infinity, maxWaitingPerKey: Infinity };

/** Bounds the tool calls that are under way, so that a model's whim for sixty at once costs others little. */
@Injectable()
export class ToolCallSlots {
  readonly #runs: FairSlots;
  readonly #principals: FairSlots;

  constructor({ perRun, perPrincipal }: ToolConcurrency = DEFAULT_TOOL_CONCURRENCY) {
    this.#runs = new FairSlots({ perKey: perRun, ...ENDLESS_QUEUE });
    this.#principals = new FairSlots({ perKey: perPrincipal, ...ENDLESS_QUEUE });
  }

  /**
   * Resolves once the run may make a call.
   *
   * @throws the reason of `run.signal`, at once, when that is aborted
   */
  async enter({
    runId,
    principal,
    signal,
  }: Pick<ToolRun, 'runId' | 'principal' | 'signal'>): Promise<Release> {
    const leaveRun = this.#runs.tryEnter(runId) ?? (await this.#runs.enter(runId, signal));
    try {
      const leavePrincipal = await this.#principals.enter(fairnessKey(principal), signal);
      return () => {
        leavePrincipal();
        leaveRun();
      };
    } catch (error) {
      leaveRun();
      throw error;
    }
  }
}
