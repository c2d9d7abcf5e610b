import type { StepStart } from '../../events/run-event.js';
import { toSubagentId, type Subagent } from '../../events/subagent.js';

interface Owner {
  /** The run that made the step last: one that continues after an answer repeats steps. */
  readonly runId: string;
  readonly subagent: Subagent;
}

/** Whose the steps of a thread are, where they are not those of a run's own agent. */
export class StepOwners {
  private readonly owners: Map<string, Owner>;

  constructor(known?: StepOwners) {
    this.owners = new Map(known?.owners);
  }

  learn(runId: string, { stepId, subagent }: StepStart): void {
    if (subagent) this.owners.set(stepId, { runId, subagent });
  }

  /** Returns the agent whose step it is; undefined for the run's own. */
  find(stepId: string): Subagent | undefined {
    return this.owners.get(stepId)?.subagent;
  }

  /** Lists the agents that were at work inside a run's own, in the order of their beginning. */
  list(runId: string): readonly Subagent[] {
    const owners = [...this.owners.values()].filter((owner) => owner.runId === runId);
    return [...new Map(owners.map(({ subagent }) => [toSubagentId(subagent), subagent])).values()];
  }
}
