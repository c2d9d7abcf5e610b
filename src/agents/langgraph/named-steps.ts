import type { Namespace } from './graph-fact.js';

/** The task id of the innermost step: LangGraph's own, which is the same when a node is run again. */
export function getStepId(namespace: Namespace): string {
  return listSteps(namespace).at(-1)?.stepId ?? '';
}

/** A step, as named in a namespace. */
interface NamedStep {
  readonly name: string;
  readonly stepId: string;
  /** The name of the node around it. The namespace has no task id for it. */
  readonly inside?: string;
}

/**
 * Returns the steps of a namespace, the outermost first. A segment without a task id is not a step: `1` counts the calls of subgraphs in a node,
 * and a subgraph that keeps its state over turns has only its node's name. The tasks inside have their own ids.
 */
export function listSteps(namespace: Namespace): readonly NamedStep[] {
  const steps: NamedStep[] = [];
  let inside: string | undefined;
  for (const segment of namespace === '' ? [] : namespace.split('|')) {
    const colon = segment.lastIndexOf(':');
    if (colon < 0) {
      inside = segment;
      continue;
    }
    const step = { name: segment.slice(0, colon), stepId: segment.slice(colon + 1) };
    steps.push(inside === undefined ? step : { ...step, inside });
    inside = undefined;
  }
  return steps;
}
