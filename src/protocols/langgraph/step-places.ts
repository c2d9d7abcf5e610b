import type { RunEvent, StepEnd, StepStart } from '../../events/run-event.js';
import { isInsideCall } from '../../events/subagent.js';
import { toSegment } from './langgraph-namespace.js';

type Namespace = readonly string[];

/** Knows where the events of a run are in LangGraph's namespaces, and which graphs are at work inside the run's own. */
export class StepPlaces {
  private readonly steps = new Map<string, StepStart>();
  /** By part or call: the step that makes it. */
  private readonly makers = new Map<string, string>();
  /** The graphs and steps that were said to have begun. */
  private readonly begun = new Set<string>();
  private ending: Namespace[] = [];

  /** The graphs and steps that ended right before the event that {@link find} was asked about last. */
  get endedLast(): readonly Namespace[] {
    return this.ending;
  }

  /**
   * Returns the namespace of an event. What the run's own agent says is in the root. What a graph says that is a node is in that node. Of an agent
   * that a tool calls, each step has its own, as in LangGraph: clients take what is right inside a tool for the work of that call.
   */
  find(event: RunEvent): Namespace {
    if (event.type !== 'step-end' && event.type !== 'end') this.ending = [];
    const step = this.findStep(event);
    if (!step?.subagent) return ROOT;
    const { path } = step.subagent;
    return isInsideCall(step) && event.type !== 'input-request' ? [...path, toSegment(step)] : path;
  }

  /** Returns the namespace of an event of a tool, which a client takes for that of the agent that it calls. */
  findCall(event: RunEvent): Namespace {
    const namespace = this.find(event);
    const step = this.findStep(event);
    return step && namespace.length === 0 ? [toSegment(step)] : namespace;
  }

  /** Returns what begins with a step inside another graph: the graphs around it that were silent so far, and the step. */
  begin(step: StepStart): readonly Namespace[] {
    this.steps.set(step.stepId, step);
    if (!step.subagent || isInsideCall(step)) return [];
    const { path } = step.subagent;
    const around = path.map((_, index) => path.slice(0, index + 1)).filter((graph) => !this.hasBegun(graph));
    const begins = [...around, [...path, toSegment(step)]];
    for (const namespace of begins) this.begun.add(toKey(namespace));
    return begins;
  }

  /** Returns the namespace of a step that ends, if its begin was told. */
  end(step: StepEnd): readonly Namespace[] {
    const namespace = [...(step.subagent?.path ?? []), toSegment(step)];
    if (!this.hasBegun(namespace)) return [];
    this.ending.push(namespace);
    return [namespace];
  }

  private hasBegun(namespace: Namespace): boolean {
    return this.begun.has(toKey(namespace));
  }

  private findStep(event: RunEvent): StepStart | undefined {
    const id = 'partId' in event ? event.partId : 'toolCallId' in event ? event.toolCallId : undefined;
    const stepId = 'stepId' in event ? event.stepId : id && this.makers.get(id);
    if (stepId === undefined) return undefined;
    if (id !== undefined) this.makers.set(id, stepId);
    return this.steps.get(stepId);
  }
}

const ROOT: Namespace = [];

function toKey(namespace: Namespace): string {
  return namespace.join('|');
}
