import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable, Logger } from '@nestjs/common';
import { nanoid } from 'nanoid';
import { AgentRegistry } from '../agents/agent.registry.js';
import type { RunResume } from '../events/run-event.js';
import type { Run } from './run.js';
import { RunExecution, type ExecutionTools } from './run.execution.js';

/** How this process takes on runs. */
export interface ExecutorOptions {
  /** Runs at a time in this process; more wait as pending. Default 100. */
  readonly maxConcurrentRuns: number;
  /** How long a run stays with a silent owner before others may take it. Default 4,000 ms. */
  readonly leaseMs: number;
}

export const DEFAULT_EXECUTOR_OPTIONS: ExecutorOptions = { maxConcurrentRuns: 100, leaseMs: 4_000 };

/** How often to look for runs without a hint: runs whose owner died, and runs whose hint was lost. */
const SWEEP_MS = 1_000;

/**
 * Takes on the runs that want an owner, keeps their leases, and gives them back at shutdown. A run that its process left
 * behind comes in through the same claim as a new one.
 */
@Injectable()
export class RunExecutor {
  private readonly logger = new Logger(RunExecutor.name);
  private readonly ownerId = nanoid();
  private readonly owned = new Map<
    string,
    { readonly run: Run; readonly execution: RunExecution; done: Promise<void> }
  >();
  private readonly timers: NodeJS.Timeout[] = [];
  private stopListening: (() => void) | undefined;
  private state: 'idle' | 'working' | 'draining' = 'idle';
  private claiming: Promise<void> | undefined;
  private claimAgain = false;
  /**
   * Runs what it is given in the async context of this object's making. A claim may come out of anybody's: a request, or a tool
   * of another run, and LangGraph takes a graph that is started inside another's task for a part of that.
   */
  private readonly apart = AsyncLocalStorage.snapshot();

  constructor(
    private readonly agents: AgentRegistry,
    private readonly tools: ExecutionTools,
    private readonly options: ExecutorOptions = DEFAULT_EXECUTOR_OPTIONS,
  ) {}

  /** Takes on what is waiting, the runs of a dead process first of all, and from now on whatever comes. */
  async start(): Promise<void> {
    this.state = 'working';
    this.stopListening = this.tools.wakeups.listen('pending', () => void this.claimWaiting('takeover'));
    this.timers.push(
      setInterval(() => void this.claimWaiting('takeover'), SWEEP_MS).unref(),
      setInterval(() => void this.renewLeases(), this.options.leaseMs / 4).unref(),
    );
    await this.claimWaiting('restart');
  }

  /**
   * Takes on nothing more, and waits up to `windowMs` for the runs in hand: they end, or are given back at their next step
   * boundary, or, when the window closes, in the middle of a step. Whoever owns them next goes on from there.
   */
  async drain(windowMs: number): Promise<void> {
    if (this.state !== 'working') return;
    this.state = 'draining';
    this.stopListening?.();
    await this.claiming;
    const executions = [...this.owned.values()];
    for (const { execution } of executions) execution.handBack('at-boundary');
    const closing = setTimeout(
      () => executions.forEach(({ execution }) => execution.handBack('now')),
      windowMs,
    );
    await Promise.all(executions.map(({ done }) => done));
    clearTimeout(closing);
    for (const timer of this.timers) clearInterval(timer);
  }

  /** Runs that this process owns now. */
  get size(): number {
    return this.owned.size;
  }

  private claimWaiting(resumed: RunResume['reason']): Promise<void> {
    this.claimAgain = true;
    // One claimer at a time; a hint that comes meanwhile makes it look once more.
    this.claiming ??= this.claimAll(resumed).finally(() => {
      this.claiming = undefined;
      // A hint that came after the last look, and before this.
      return this.claimAgain && this.hasRoom() ? this.claimWaiting('takeover') : undefined;
    });
    return this.claiming;
  }

  private async claimAll(resumed: RunResume['reason']): Promise<void> {
    try {
      while (this.claimAgain && this.hasRoom()) {
        this.claimAgain = false;
        const run = await this.tools.runs.claim({ ownerId: this.ownerId, leaseMs: this.options.leaseMs });
        if (!run) continue;
        this.claimAgain = true;
        this.own(run, resumed);
      }
    } catch (error) {
      this.logger.error({ err: error }, 'Runs could not be claimed; trying again soon.');
    }
  }

  private hasRoom(): boolean {
    return this.state === 'working' && this.owned.size < this.options.maxConcurrentRuns;
  }

  private own(run: Run, resumed: RunResume['reason']): void {
    this.logger.log(
      { runId: run.id, threadId: run.threadId, agent: run.agent, epoch: run.epoch },
      'run claimed',
    );
    const execution = new RunExecution(run, this.agents.get(run.agent), this.tools, resumed);
    // Its lease ran out in silence, and the one who takes the run over is this process itself.
    this.owned.get(run.id)?.execution.lose();
    const done = this.apart(() => execution.perform()).then(() => {
      if (this.owned.get(run.id)?.execution === execution) this.owned.delete(run.id);
      // Its place is free, and its thread may have another run waiting.
      void this.claimWaiting('takeover');
    });
    this.owned.set(run.id, { run, execution, done });
  }

  private async renewLeases(): Promise<void> {
    if (this.owned.size === 0) return;
    const runs = [...this.owned.values()].map(({ run }) => ({ runId: run.id, epoch: run.epoch }));
    try {
      for (const { runId, outcome, cancelRequested } of await this.tools.runs.renew({
        runs,
        leaseMs: this.options.leaseMs,
      })) {
        const execution = this.owned.get(runId)?.execution;
        if (outcome === 'fenced') execution?.lose();
        else if (cancelRequested) execution?.cancel();
      }
    } catch (error) {
      this.logger.error({ err: error }, 'Leases could not be renewed; trying again soon.');
    }
  }
}
