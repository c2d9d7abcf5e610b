import type { StepStart } from '../../events/run-event.js';
import type { Subagent } from '../../events/subagent.js';
import { toNamespace } from './langgraph-namespace.js';
import type { MessageMetadata, RunNames } from './run-stream-chunks.js';

/** Describes the steps of a run in the words of LangGraph's streams. */
export class StepDescriptions {
  private readonly names = new Map<string, string>();
  /** By step, of those inside a subgraph. */
  private readonly subagents = new Map<string, Subagent>();

  /** @param hasSubgraphs true if the client wants the output of subgraphs under their namespaces */
  constructor(
    private readonly run: RunNames,
    private readonly hasSubgraphs: boolean,
  ) {}

  learn({ stepId, name, subagent }: StepStart): void {
    this.names.set(stepId, name);
    if (subagent) this.subagents.set(stepId, subagent);
  }

  /** Returns the agent whose step it is; undefined for the run's own. */
  findSubagent(stepId: string): Subagent | undefined {
    return this.subagents.get(stepId);
  }

  /** Returns the metadata of what the step says. */
  describe(stepId: string): MessageMetadata {
    const name = this.names.get(stepId) ?? '';
    const metadata = { ...this.run, langgraph_node: name, tags: [] };
    const subagent = this.subagents.get(stepId);
    if (!subagent) return metadata;
    const place = [...toNamespace(subagent), `${name}:${stepId}`].join('|');
    return {
      ...metadata,
      langgraph_checkpoint_ns: place,
      checkpoint_ns: place,
      lc_agent_name: subagent.name,
    };
  }

  /** Returns the name of a frame: that of the mode, and in it the namespace of the agent if the client wants that. */
  toFrameName<Mode extends 'messages' | 'updates'>(mode: Mode, subagent: Subagent | undefined) {
    if (!subagent || !this.hasSubgraphs) return mode;
    return `${mode}|${toNamespace(subagent).join('|')}` as const;
  }
}
