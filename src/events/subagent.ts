/** An agent inside the run's own, each time that it is at work: a graph that is a node of another, or an agent that a tool calls. */
export interface Subagent {
  readonly name: string;
  /** Its place, from the outermost step to the one around it: LangGraph's namespace, in segments. Unique in the run. */
  readonly path: readonly string[];
  /** The call that it works for. What it says is part of that call, not of the answer. */
  readonly toolCallId?: string;
}

/** Returns a key that tells one subagent's work from that of every other in the run. */
export function toSubagentId({ path }: Subagent): string {
  return path.join('|');
}

/** True for an event or a part of an agent that a tool calls: it is not part of the answer. */
export function isInsideCall(output: { readonly subagent?: Subagent }): boolean {
  return output.subagent?.toolCallId !== undefined;
}
