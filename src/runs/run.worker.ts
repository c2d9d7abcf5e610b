import { Injectable, Logger } from '@nestjs/common';
import { nanoid } from 'nanoid';
import { AgentRegistry } from '../agents/agent.registry.js';
import type { RunResume } from '../events/run-event.js';
import { ATTRIBUTES } from '../telemetry/names.js';
import { BlockedThread } from './blocked-thread.js';
import { ClaimLoop } from './claim-loop.js';
import type { ExecutionDeps } from './execution-deps.js';
import type { Acquisition } from './opening-events.js';
import { OwnedRuns } from './owned-runs.js';
import type { Run } from './run.js';
import { RunExecution } from './run-execution.js';
import type { CreateResult, NewRun, RunOwner } from './run.store.js';

/** Options for the runs of this process. */
export interface WorkerOptions {
  /** Runs at a time in this process; more wait as pending. Default 50. */
  readonly maxConcurrentRuns: number;
  /** Time for which a run stays with a silent owner before others may take it, in milliseconds. Default 4,000 ms. */
  readonly leaseMs: number;
  /** Runs of one principal at a time, in all processes together; more wait as pending. Default: no limit. */
  readonly maxRunsPerPrincipal?: number;
}

export const DEFAULT_WORKER_OPTIONS: WorkerOptions = { maxConcurrentRuns: 50, leaseMs: 4_000 };

/** Time between two looks for runs without a wakeup, in milliseconds: runs whose owner died, and runs whose wakeup was lost. */
const SWEEP_MS = 1_000;

/**
 * Time after a block until the block's cause is known, in milliseconds: a step that blocks from its first moment is recorded only
 * when it is over.
 */
const BLOCK_SETTLING_MS = 100;

/**
 * Takes on runs: those that are asked for here it begins at once, and those that want an owner it claims. Keeps their leases,
 * and gives them back at shutdown. A run that its process left behind comes in through the same claim as one that waited.
 *
 * A worker is in one of three modes, and goes through them once, in this order:
 *
 * - `idle`: it has not been started. It stores the runs that are asked for, for others to claim, and claims nothing.
 * - `working`: it begins and claims runs as far as it has free slots.
 * - `draining`: it takes on nothing more. It has no free slots, so that whatever is asked for is stored for others. The runs in hand
 *   end or are given back; until they are, their leases are renewed.
 *
 * Which runs it owns is the business of `OwnedRuns`; when it claims, that of `ClaimLoop`.
 */
@Injectable()
export class RunWorker {
  private readonly logger = new Logger(RunWorker.name);
  private readonly owner: RunOwner;
  private readonly owned: OwnedRuns;
  private readonly claims: ClaimLoop;
  private readonly deps: ExecutionDeps;
  private readonly thread = new BlockedThread(SWEEP_MS);
  /** The starts that are under way. Each takes a slot. */
  private readonly starts = new Set<Promise<unknown>>();
  private mode: 'idle' | 'working' | 'draining' = 'idle';
  private stopListening = (): void => undefined;
  private stopTimers = (): void => undefined;
  /** Counts the wakeups that told of a run that waits for an owner. */
  private wakeupsHeard = 0;

  constructor(
    private readonly agents: AgentRegistry,
    deps: ExecutionDeps,
    private readonly options: WorkerOptions = DEFAULT_WORKER_OPTIONS,
  ) {
    const { leaseMs, maxRunsPerPrincipal } = options;
    this.deps = { ...deps, agents };
    this.owner = {
      ownerId: nanoid(),
      leaseMs,
      ...(maxRunsPerPrincipal !== undefined && { maxRunsPerPrincipal }),
    };
    this.owned = new OwnedRuns(deps.runs);
    this.claims = new ClaimLoop({
      countFreeSlots: () => this.freeSlots,
      claimNext: (resumed) => this.claimNext(resumed),
      onFailure: (error) =>
        this.logger.error({ err: error }, 'Runs could not be claimed; trying again soon.'),
    });
  }

  /** Runs that this process owns now. */
  get size(): number {
    return this.owned.size;
  }

  /** Runs that this process may own at a time. */
  get maxSize(): number {
    return this.options.maxConcurrentRuns;
  }

  /** Takes on what is waiting, the runs of a dead process first of all, and from now on whatever comes. */
  async start(): Promise<void> {
    this.enterWorking();
    await this.claims.ask('restart');
  }

  /**
   * Stores a run. It is begun here and in the same step when this process works and has a slot that no earlier run may be
   * waiting for, when nothing is before it in its thread, and when it is its principal's turn; else it is pending, and the one that
   * claims it has to be told.
   *
   * @throws AppError STORAGE_FAILED
   */
  async begin(newRun: NewRun): Promise<CreateResult> {
    // A claim that is under way may bring a run, and needs a slot for it.
    if (this.freeSlots <= (this.claims.isActive ? 1 : 0)) this.claims.noteBacklog();
    if (this.claims.mayHaveBacklog) return this.deps.runs.create(newRun);
    const start = this.createOwned(newRun);
    this.starts.add(start);
    try {
      return await start;
    } finally {
      this.starts.delete(start);
      // It may have been refused, and somebody may have come for its slot meanwhile.
      if (this.claims.mayHaveBacklog) void this.claims.ask('takeover');
    }
  }

  /**
   * Takes on nothing more, and waits up to `windowMs` for the runs in hand: they end, or are given back at their next step
   * boundary, or, when the window closes, in the middle of a step. Their next owners go on from there.
   */
  async drain(windowMs: number): Promise<void> {
    if (this.mode !== 'working') return;
    this.enterDraining();
    this.owned.handBack('at-boundary');
    // A start or a claim that is under way may still bring a run.
    await Promise.allSettled([this.claims.settled(), ...this.starts]);
    this.owned.handBack('at-boundary');
    const closing = setTimeout(() => this.owned.handBack('now'), windowMs);
    await this.owned.settled();
    clearTimeout(closing);
    await this.releaseLeft();
    await this.deps.replaced?.deleteNow();
    await this.deps.titles?.stop();
    this.stopTimers();
  }

  /** `idle` to `working`: there are slots from here on, and it is heard when a run waits for one. */
  private enterWorking(): void {
    if (this.mode !== 'idle') throw new Error(`A worker that is ${this.mode} cannot be started.`);
    this.mode = 'working';
    this.thread.reset();
    this.measure();
    this.stopListening = this.deps.wakeups.listen('pending', () => {
      this.wakeupsHeard += 1;
      void this.claims.ask('takeover');
    });
    const timers = [
      setInterval(() => void this.sweep(), SWEEP_MS).unref(),
      setInterval(() => void this.renewLeases(), this.options.leaseMs / 4).unref(),
    ];
    const stopWatching = this.deps.switches?.onChange(() => {
      for (const execution of this.owned.executions) execution.checkSwitches();
    });
    this.stopTimers = () => {
      stopWatching?.();
      for (const timer of timers) clearInterval(timer);
    };
  }

  /** `working` to `draining`: there are no slots any more. Leases and switches are looked after until the last run is gone. */
  private enterDraining(): void {
    if (this.mode !== 'working') throw new Error(`A worker that is ${this.mode} cannot be drained.`);
    this.mode = 'draining';
    this.stopListening();
  }

  /** Series that only exist once something has happened could not be seen to begin. */
  private measure(): void {
    const { metrics } = this.deps.telemetry ?? {};
    metrics?.observe('runsActive', () => [[this.size]]);
    metrics?.observe('runsLongest', () => [[this.owned.longestMs / 1_000]]);
    metrics?.observe('runsWaiting', async () => [[(await this.deps.runs.countUnended()).pending]]);
    for (const reason of ['takeover', 'restart'])
      metrics?.count('takeovers', 0, { [ATTRIBUTES.reason]: reason });
  }

  private get freeSlots(): number {
    if (this.mode !== 'working') return 0;
    return this.options.maxConcurrentRuns - this.owned.size - this.starts.size;
  }

  private async createOwned(newRun: NewRun): Promise<CreateResult> {
    const { wakeupsHeard, owner } = this;
    const created = await this.deps.runs.create({ ...newRun, owner });
    if (created.outcome === 'created' && created.run.status === 'running') {
      const isNewThread = newRun.thread === 'new';
      // A run that waits behind this one came with a wakeup.
      const mayWait = () => this.claims.mayHaveBacklog || this.wakeupsHeard !== wakeupsHeard;
      this.own(created.run, { isNewThread }, mayWait);
    }
    return created;
  }

  private async claimNext(resumed: RunResume['reason']): Promise<boolean> {
    const run = await this.deps.runs.claim({
      ...this.owner,
      inHand: this.owned.ids,
      exceptDeaths: this.deathsToLeave(),
    });
    if (!run) return false;
    const { id: runId, threadId, agent, epoch } = run;
    this.logger.log({ runId, threadId, agent, epoch }, 'run claimed');
    if (run.lastSeq > 0)
      this.deps.telemetry?.metrics?.count('takeovers', 1, { [ATTRIBUTES.reason]: resumed });
    this.own(run, { resumed }, () => true);
    return true;
  }

  /** @param mayWait asked at its end: whether another run may be waiting for what it leaves, its slot or its thread */
  private own(run: Run, acquisition: Acquisition, mayWait: () => boolean): void {
    const execution = new RunExecution(run, this.agents.get(run.agent), this.deps, acquisition);
    this.owned.add(run, execution, () => {
      if (mayWait()) void this.claims.ask('takeover');
    });
  }

  /**
   * The runs that one more death would end are taken on one at a time: one of them may be what ends the processes, and the others
   * were only beside it. Undefined while there is none of them here.
   */
  private deathsToLeave(): number | undefined {
    const last = this.deps.limits.maxOwners - 1;
    return last >= 1 && this.owned.hasFreshSuspect(last) ? last : undefined;
  }

  /** Looks for runs without a wakeup. Comes late when the thread was blocked, and says so. */
  private async sweep(): Promise<void> {
    const blockedMs = this.thread.tick();
    if (blockedMs > 0) this.reportBlock(blockedMs);
    await this.releaseLeft();
    await this.claims.ask('takeover');
  }

  private reportBlock(blockedMs: number): void {
    const { executions } = this.owned;
    setTimeout(() => {
      const runs = executions.map((execution) => execution.describe());
      this.logger.warn({ blockedMs, runs }, 'The thread was blocked: no run could go on meanwhile.');
    }, BLOCK_SETTLING_MS).unref();
  }

  private async releaseLeft(): Promise<void> {
    try {
      await this.owned.releaseLeft();
    } catch (error) {
      this.logger.error({ err: error }, 'Runs could not be given back; trying again soon.');
    }
  }

  private async renewLeases(): Promise<void> {
    try {
      await this.owned.renewLeases(this.options.leaseMs);
    } catch (error) {
      this.logger.error({ err: error }, 'Leases could not be renewed; trying again soon.');
    }
  }
}
