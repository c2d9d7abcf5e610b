import type { Emit } from '../../events/emit.js';
import { listSteps } from './langgraph.mapper.js';

/** Tracks the steps that have a tool running in them. What a model says inside a tool is the tool's business, not the answer. */
export class ToolSteps {
  private readonly calls = new Map<string, string>();

  constructor(private readonly forward: Emit) {}

  readonly emit: Emit = (event) => {
    if (event.type === 'tool-start') this.calls.set(event.toolCallId, event.stepId);
    if (event.type === 'tool-end') this.calls.delete(event.toolCallId);
    return this.forward(event);
  };

  enclose(namespace: string): boolean {
    if (this.calls.size === 0) return false;
    const stepsWithTools = new Set(this.calls.values());
    return listSteps(namespace).some(({ stepId }) => stepsWithTools.has(stepId));
  }
}
