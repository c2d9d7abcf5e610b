import type { StepStart } from '../../events/run-event.js';
import type { Subagent } from '../../events/subagent.js';

/** Returns a step as LangGraph's namespaces name it. */
export function toSegment({ name, stepId }: Pick<StepStart, 'name' | 'stepId'>): string {
  return `${name}:${stepId}`;
}

/** Returns a namespace that a client sends with our separator: LangGraph's servers write one, and its SDK another. */
export function toPath(namespace: string): string {
  return namespace.replaceAll('\0', '|');
}

/**
 * Returns the namespace of an agent as the clients of the first API read it. Of an agent that a tool calls they want to find the call, so its segment
 * has the call's id in the place of the task's.
 */
export function toNamespace({ path, toolCallId }: Subagent): readonly string[] {
  if (toolCallId === undefined) return path;
  const caller = path.findLastIndex((segment) => segment.includes(':'));
  return path.map((segment, index) => (index === caller ? `tools:${toolCallId}` : segment));
}
