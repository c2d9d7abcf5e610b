import type { Run } from '../../runs/run.js';
import type { MomentName } from './langgraph-checkpoints.js';

/** A state as logs name it. */
export interface LoggedState {
  readonly id: string;
  /** The run that stored it. Undefined: that of the log. */
  readonly runId: string | undefined;
}

/** Finds the runs that have kept the states which logs name. In a copied thread, logs have ids of runs that the thread does not have. */
export class StateOwners {
  private readonly byId = new Map<string, Run>();
  private readonly keepers = new Map<string, Run>();

  /** @param parents the run before each run in its branch */
  constructor(
    runs: readonly Run[],
    private readonly parents: ReadonlyMap<string, Run>,
  ) {
    for (const run of runs) this.byId.set(run.copyOf ?? run.id, run).set(run.id, run);
  }

  /** Learns that a run has kept a state. */
  learn(run: Run, stateId: string): void {
    this.keepers.set(stateId, run);
  }

  /**
   * Names a state among those of its thread. That of a run which has kept none on its way is the one with its answer. Undefined: there is no such run.
   *
   * @param run whose log names it
   */
  name(run: Run, { id, runId }: LoggedState): MomentName | undefined {
    const keeper = runId === undefined ? run : this.keepers.get(id);
    if (keeper) return { run: keeper, answered: true, checkpointId: id };
    const owner = this.byId.get(runId ?? run.id) ?? this.parents.get(run.id);
    return owner && { run: owner, answered: true };
  }
}
