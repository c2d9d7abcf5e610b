import type { StepStart } from '../../events/run-event.js';
import type { Subagent } from '../../events/subagent.js';
import type { AgUiEvent, OfSubagent } from './ag-ui-events.js';
import { AgUiSubagents, type SubagentInterrupt } from './ag-ui-subagents.js';

/** The open steps of a run, and the agents whose they are. */
export class AgUiSteps {
  private readonly subagents = new AgUiSubagents();
  /** By step: names have to be unique among the open ones. */
  private readonly open = new Map<string, { readonly stepName: string } & OfSubagent>();
  /** By step, of those that are not the run's own agent's. */
  private readonly owners = new Map<string, Subagent>();

  /** @param knowsSubagents false for clients that have no word for agents inside the run's own */
  constructor(private readonly knowsSubagents: boolean) {}

  enter({ stepId, name, subagent }: StepStart): AgUiEvent[] {
    const owner = this.knowsSubagents ? subagent : undefined;
    if (owner) this.owners.set(stepId, owner);
    const began = this.subagents.enter(owner);
    const taken = [...this.open.values()].some(({ stepName }) => stepName === name);
    const step = { stepName: taken ? `${name} ${stepId}` : name, ...this.subagents.attribute(owner) };
    this.open.set(stepId, step);
    return [...began, { type: 'STEP_STARTED', ...step }];
  }

  /** @param asked what the run asks, each with the step that asks it */
  leave(stepId: string, asked: ReadonlyMap<string, { readonly stepId: string }>): AgUiEvent[] {
    return [...this.close(stepId), ...this.subagents.leave(stepId, this.toInterrupts(asked))];
  }

  /** The step is done over. */
  supersede(stepId: string): AgUiEvent[] {
    return [...this.close(stepId), ...this.subagents.supersede(stepId)];
  }

  /** Ends the agents that are at work. */
  end(asked: ReadonlyMap<string, { readonly stepId: string }>): AgUiEvent[] {
    return this.subagents.end(this.toInterrupts(asked));
  }

  /** Returns the field that says whose the output of a step is. */
  attribute(stepId: string): OfSubagent {
    return this.subagents.attribute(this.owners.get(stepId));
  }

  /** True for a step of an agent inside the run's own. */
  isInner(stepId: string): boolean {
    return this.owners.has(stepId);
  }

  /** The starts of all that is open, for a client that joins here. */
  list(): AgUiEvent[] {
    const steps = Array.from(this.open.values(), (step): AgUiEvent => ({ type: 'STEP_STARTED', ...step }));
    return [...this.subagents.list(), ...steps];
  }

  private toInterrupts(asked: ReadonlyMap<string, { readonly stepId: string }>): SubagentInterrupt[] {
    return Array.from(asked, ([id, asker]) => {
      const subagent = this.owners.get(asker.stepId);
      return { id, ...(subagent && { subagent }) };
    });
  }

  private close(stepId: string): AgUiEvent[] {
    const step = this.open.get(stepId);
    this.open.delete(stepId);
    return step ? [{ type: 'STEP_FINISHED', ...step }] : [];
  }
}
