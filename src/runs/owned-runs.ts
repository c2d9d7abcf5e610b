import { AsyncLocalStorage } from 'node:async_hooks';
import type { Run } from './run.js';
import type { RunExecution } from './run-execution.js';
import type { RunOwnership, RunStore } from './run.store.js';

/** A run that brings its process down does so soon, as a rule. For so long it is kept apart from others that are suspected of it. */
const SUSPECT_ISOLATION_MS = 30_000;

interface OwnedRun {
  readonly run: Run;
  readonly execution: RunExecution;
  /** By `performance.now`. */
  readonly since: number;
  readonly done: Promise<void>;
}

/**
 * The runs that this process owns. One is in here from when its owner has it until its work is done. One whose storage was away
 * by then has neither ended nor been given back: it is given back as soon as the storage is there again.
 */
export class OwnedRuns {
  private readonly atWork = new Map<string, OwnedRun>();
  /** Epochs of the runs that are still to be given back, by run id. */
  private readonly unreleased = new Map<string, number>();
  /**
   * Detaches a run from the async context of what started it. That may be a request, or a tool of another run, and LangGraph takes a
   * graph that is started inside another's task for a part of it.
   */
  private readonly runDetached = AsyncLocalStorage.snapshot();

  constructor(private readonly runs: RunStore) {}

  get size(): number {
    return this.atWork.size;
  }

  get ids(): readonly string[] {
    return [...this.atWork.keys()];
  }

  get executions(): readonly RunExecution[] {
    return Array.from(this.atWork.values(), ({ execution }) => execution);
  }

  /** Milliseconds since this process took the run that it has had for longest. 0 without any. */
  get longestMs(): number {
    const now = performance.now();
    return Math.max(0, ...Array.from(this.atWork.values(), ({ since }) => now - since));
  }

  /** Lets the execution work. `onDone` is called when it no longer takes a slot. */
  add(run: Run, execution: RunExecution, onDone: () => void): void {
    // Its lease ran out in silence, and the one who takes the run over is this process itself.
    this.atWork.get(run.id)?.execution.lose();
    const done = this.runDetached(() => execution.perform()).then((outcome) => {
      if (outcome === 'left') this.unreleased.set(run.id, run.epoch);
      if (this.atWork.get(run.id)?.execution === execution) this.atWork.delete(run.id);
      onDone();
    });
    this.atWork.set(run.id, { run, execution, since: performance.now(), done });
  }

  /** Gives all runs back: each at its next step boundary, or `now`. */
  handBack(when: 'at-boundary' | 'now'): void {
    for (const execution of this.executions) execution.handBack(when);
  }

  /** Resolves when the work on all runs that are in here now is done. */
  async settled(): Promise<void> {
    await Promise.all(Array.from(this.atWork.values(), ({ done }) => done));
  }

  /** Prolongs the leases, and tells each run that it is lost, or that its end was asked for. Rejects with STORAGE_FAILED. */
  async renewLeases(leaseMs: number): Promise<void> {
    if (this.size === 0) return;
    const runs = Array.from(this.atWork.values(), ({ run }): RunOwnership => ({
      runId: run.id,
      epoch: run.epoch,
    }));
    for (const { runId, outcome, cancelRequested, messageWaits } of await this.runs.renew({
      runs,
      leaseMs,
    })) {
      const execution = this.atWork.get(runId)?.execution;
      if (outcome === 'fenced') execution?.lose();
      else if (cancelRequested) execution?.cancel();
      if (messageWaits) execution?.wakeInbox();
    }
  }

  /**
   * Gives back what was left while the storage was away. That counts as no death, because the process is alive. It has no effect on a
   * run that has another owner by now. Rejects with STORAGE_FAILED.
   */
  async releaseLeft(): Promise<void> {
    for (const [runId, epoch] of this.unreleased) {
      await this.runs.release({ runId, epoch });
      this.unreleased.delete(runId);
    }
  }

  /** True if a run was taken on a moment ago whose owners have died so often. */
  hasFreshSuspect(deaths: number): boolean {
    const now = performance.now();
    for (const { run, since } of this.atWork.values())
      if (run.deaths === deaths && now - since < SUSPECT_ISOLATION_MS) return true;
    return false;
  }
}
