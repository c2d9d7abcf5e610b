import type { Subagent } from '../../events/subagent.js';
import type { EnclosingCall, StepWork } from './graph-fact.js';

/** A step that begins, with its place. */
interface EnteredStep {
  readonly stepId: string;
  readonly name: string;
  /** A segment of the namespace before it that is no step. */
  readonly inside?: string | undefined;
  readonly parentStepId?: string | undefined;
}

interface KnownStep {
  readonly name: string;
  /** The segments around it. */
  readonly path: readonly string[];
  readonly agent: string | undefined;
  readonly subagent: Subagent | undefined;
}

/** Knows whose steps a run's are: of the run's own agent, of a graph that is a node of another, or of an agent that a tool calls. */
export class Subagents {
  private readonly steps = new Map<string, KnownStep>();
  private readonly known = new Map<string, Subagent>();

  /** Returns the subagent whose step begins; undefined for the run's own agent. */
  enter({ stepId, name, inside, parentStepId }: EnteredStep, work: StepWork = {}): Subagent | undefined {
    const outer = parentStepId === undefined ? undefined : this.steps.get(parentStepId);
    const path = outer ? [...outer.path, `${outer.name}:${parentStepId}`] : [];
    // `1` counts the subgraphs of a node. Another name is that of the node, which its step says already.
    if (inside !== undefined && (!outer || /^\d+$/.test(inside))) path.push(inside);
    const subagent = work.isTask ? outer?.subagent : this.find(path, outer, work);
    this.steps.set(stepId, { name, path, agent: work.agent ?? outer?.agent, subagent });
    return subagent;
  }

  private find(path: readonly string[], outer: KnownStep | undefined, work: StepWork): Subagent | undefined {
    if (path.length === 0) return undefined;
    const id = path.join('|');
    const known = this.known.get(id);
    if (known) return known;
    const { agent, call } = work;
    // A graph without a name has that of the agent around it.
    const own = agent === outer?.agent ? undefined : agent;
    const isCalled = call !== undefined && call.toolCallId !== outer?.subagent?.toolCallId;
    const name = own ?? (isCalled ? call.toolName : outer?.name) ?? path.at(-1)!;
    const toolCallId = call?.toolCallId ?? outer?.subagent?.toolCallId;
    const subagent = { name, path, ...(toolCallId !== undefined && { toolCallId }) };
    this.known.set(id, subagent);
    return subagent;
  }
}

/** Reads the metadata of a node. Tasks of the functional API are pushed, and their path begins with that of the node that calls them. */
export function readWork(
  metadata: Readonly<Record<string, unknown>>,
  call: EnclosingCall | undefined,
): StepWork {
  const { lc_agent_name: agent, langgraph_path: path } = metadata;
  const isTask = Array.isArray(path) && path[0] === '__pregel_push' && Array.isArray(path[1]);
  return { ...(typeof agent === 'string' && { agent }), ...(isTask && { isTask }), ...(call && { call }) };
}
