import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable, Logger } from '@nestjs/common';
import { nanoid } from 'nanoid';
import { AgentRegistry } from '../agents/agent.registry.js';
import type { RunResume } from '../events/run-event.js';
import type { Taken } from './first.events.js';
import type { Run } from './run.js';
import { RunExecution, type ExecutionTools } from './run.execution.js';
import type { CreateResult, NewRun, RunOwner } from './run.store.js';

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
 * Takes on runs: those that are asked for here it begins at once, and those that want an owner it claims. Keeps their leases,
 * and gives them back at shutdown. A run that its process left behind comes in through the same claim as one that waited.
 */
@Injectable()
export class RunExecutor {
  private readonly logger = new Logger(RunExecutor.name);
  private readonly owner: RunOwner;
  private readonly owned = new Map<
    string,
    { readonly run: Run; readonly execution: RunExecution; done: Promise<void> }
  >();
  /** The starts that are under way, each with a place. */
  private readonly beginning = new Set<Promise<unknown>>();
  private readonly timers: NodeJS.Timeout[] = [];
  private stopListening: (() => void) | undefined;
  private state: 'idle' | 'working' | 'draining' = 'idle';
  private claiming: Promise<void> | undefined;
  private claimAgain = false;
  /** How often this process has heard that a run waits for an owner. */
  private hints = 0;
  /** Runs may be waiting for a place here: one was missing, and no claim has found nothing since. */
  private crowded = false;
  /**
   * Runs what it is given in the async context of this object's making. A start or a claim may come out of anybody's: a request,
   * or a tool of another run, and LangGraph takes a graph that is started inside another's task for a part of that.
   */
  private readonly apart = AsyncLocalStorage.snapshot();

  constructor(
    private readonly agents: AgentRegistry,
    private readonly tools: ExecutionTools,
    private readonly options: ExecutorOptions = DEFAULT_EXECUTOR_OPTIONS,
  ) {
    this.owner = { ownerId: nanoid(), leaseMs: options.leaseMs };
  }

  /** Takes on what is waiting, the runs of a dead process first of all, and from now on whatever comes. */
  async start(): Promise<void> {
    this.state = 'working';
    this.stopListening = this.tools.wakeups.listen('pending', () => {
      this.hints += 1;
      void this.claimWaiting('takeover');
    });
    this.timers.push(
      setInterval(() => void this.claimWaiting('takeover'), SWEEP_MS).unref(),
      setInterval(() => void this.renewLeases(), this.options.leaseMs / 4).unref(),
    );
    await this.claimWaiting('restart');
  }

  /**
   * Stores a run. It is begun here and in the same step when this process works and has a place that no earlier run may be
   * waiting for, and when nothing is before it in its thread; else it is pending, and whoever claims it has to be told.
   *
   * @throws AppError STORAGE_FAILED
   */
  async begin(newRun: NewRun): Promise<CreateResult> {
    // A claim that is under way may bring a run, and needs a place for it.
    this.crowded ||= this.places <= (this.claiming ? 1 : 0);
    if (this.crowded) return this.tools.runs.create(newRun);
    const beginning = this.createOwned(newRun);
    this.beginning.add(beginning);
    try {
      return await beginning;
    } finally {
      this.beginning.delete(beginning);
      // It may have been refused, and somebody may have come for its place meanwhile.
      if (this.crowded) void this.claimWaiting('takeover');
    }
  }

  /**
   * Takes on nothing more, and waits up to `windowMs` for the runs in hand: they end, or are given back at their next step
   * boundary, or, when the window closes, in the middle of a step. Whoever owns them next goes on from there.
   */
  async drain(windowMs: number): Promise<void> {
    if (this.state !== 'working') return;
    this.state = 'draining';
    this.stopListening?.();
    this.handBack('at-boundary');
    // A start or a claim that is under way may still bring a run.
    await Promise.allSettled([this.claiming, ...this.beginning]);
    this.handBack('at-boundary');
    const closing = setTimeout(() => this.handBack('now'), windowMs);
    await Promise.all(Array.from(this.owned.values(), ({ done }) => done));
    clearTimeout(closing);
    for (const timer of this.timers) clearInterval(timer);
  }

  /** Runs that this process owns now. */
  get size(): number {
    return this.owned.size;
  }

  private handBack(when: 'at-boundary' | 'now'): void {
    for (const { execution } of this.owned.values()) execution.handBack(when);
  }

  /** For so many more runs it has room. */
  private get places(): number {
    if (this.state !== 'working') return 0;
    return this.options.maxConcurrentRuns - this.owned.size - this.beginning.size;
  }

  private async createOwned(newRun: NewRun): Promise<CreateResult> {
    const { hints, owner } = this;
    const created = await this.tools.runs.create({ ...newRun, owner });
    if (created.outcome === 'created' && created.run.status === 'running') {
      const isNewThread = newRun.thread === 'new';
      // A run that waits behind this one came with a hint.
      this.own(created.run, { isNewThread }, () => this.crowded || this.hints !== hints);
    }
    return created;
  }

  private claimWaiting(resumed: RunResume['reason']): Promise<void> {
    this.claimAgain = true;
    // One claimer at a time; a hint that comes meanwhile makes it look once more.
    this.claiming ??= this.claimAll(resumed).finally(() => {
      this.claiming = undefined;
      // A hint that came after the last look, and before this.
      return this.claimAgain && this.places > 0 ? this.claimWaiting('takeover') : undefined;
    });
    return this.claiming;
  }

  private async claimAll(resumed: RunResume['reason']): Promise<void> {
    try {
      while (this.claimAgain && this.places > 0) {
        this.claimAgain = false;
        const run = await this.tools.runs.claim(this.owner);
        this.crowded &&= run !== undefined;
        if (!run) continue;
        this.claimAgain = true;
        const { id: runId, threadId, agent, epoch } = run;
        this.logger.log({ runId, threadId, agent, epoch }, 'run claimed');
        this.own(run, { resumed }, () => true);
      }
      this.crowded ||= this.claimAgain;
    } catch (error) {
      this.logger.error({ err: error }, 'Runs could not be claimed; trying again soon.');
    }
  }

  /** @param mayWait asked at its end: whether another run may be waiting for what it leaves, its place or its thread */
  private own(run: Run, taken: Taken, mayWait: () => boolean): void {
    const execution = new RunExecution(run, this.agents.get(run.agent), this.tools, taken);
    // Its lease ran out in silence, and the one who takes the run over is this process itself.
    this.owned.get(run.id)?.execution.lose();
    const done = this.apart(() => execution.perform()).then(() => {
      if (this.owned.get(run.id)?.execution === execution) this.owned.delete(run.id);
      if (mayWait()) void this.claimWaiting('takeover');
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
