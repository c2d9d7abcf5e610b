import type { Emit } from '../../events/emit.js';
import type { Subagent } from '../../events/subagent.js';
import type { EnclosingCall, GraphFact, Namespace } from './graph-fact.js';
import { getStepId, listSteps } from './named-steps.js';

/**
 * Tracks the steps that have a tool running in them. What a model says inside a tool belongs to the tool, not to the answer.
 * Names the agent of each call and of its files.
 */
export class ToolSteps {
  private readonly calls = new Map<string, EnclosingCall>();

  /** @param findSubagent the agent whose step it is; undefined for the run's own */
  constructor(
    private readonly forward: Emit,
    private readonly findSubagent: (stepId: string) => Subagent | undefined = () => undefined,
  ) {}

  readonly emit: Emit = (event) => {
    if (event.type === 'tool-end') this.calls.delete(event.toolCallId);
    if (event.type !== 'tool-start' && event.type !== 'file') return this.forward(event);
    const { stepId } = event;
    if (event.type === 'tool-start') {
      const { toolCallId, toolName } = event;
      this.calls.set(toolCallId, { toolCallId, toolName, stepId });
    }
    const subagent = this.findSubagent(stepId);
    return this.forward(subagent ? { ...event, subagent } : event);
  };

  /** Lists the calls that are at work around that place, or in it. */
  findAround(namespace: Namespace): readonly EnclosingCall[] {
    if (this.calls.size === 0) return [];
    const steps = new Set(listSteps(namespace).map(({ stepId }) => stepId));
    return [...this.calls.values()].filter(({ stepId }) => steps.has(stepId));
  }

  /** Adds the call that a step is part of, where no callback knew it: a tool of this application calls its agent by itself. */
  complete(fact: GraphFact): GraphFact {
    if (fact.kind !== 'step-started' || fact.work?.call || this.calls.size === 0) return fact;
    const stepId = getStepId(fact.namespace);
    const call = this.findAround(fact.namespace).findLast((around) => around.stepId !== stepId);
    return call ? { ...fact, work: { ...fact.work, call } } : fact;
  }

  enclose(namespace: Namespace): boolean {
    return this.findAround(namespace).length > 0;
  }
}
