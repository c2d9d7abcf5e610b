import type { RunnableConfig } from '@langchain/core/runnables';
import type { ToolRun } from '../../tools/agent-tool.js';
import type { Namespace } from './langgraph.mapper.js';
import type { RunCheckpoints } from './run-checkpoints.js';

/** The run that a graph is working for, as middleware, tools and checkpointer find it in their config. */
export interface ActiveRun {
  readonly run: ToolRun;
  /** Work begins in this place of the graph; LangGraph's own word of it may come later. */
  readonly stepStarted: (namespace: Namespace) => void;
  /** True while a tool is at work around that place. */
  readonly isInsideTool: (namespace: Namespace) => boolean;
  readonly checkpoints: RunCheckpoints;
  /** A checkpoint is about to be stored, and these are the messages in it. */
  readonly messagesNumbered: (messages: unknown) => void;
}

/** The key in `configurable`; with two underscores, so that LangGraph copies it into no metadata and no trace. */
export const ACTIVE_RUN = '__agent_stream_run';

/** Undefined when the graph was called by somebody else. */
export function getActiveRun(config: Pick<RunnableConfig, 'configurable'>): ActiveRun | undefined {
  return config.configurable?.[ACTIVE_RUN] as ActiveRun | undefined;
}

/** Reads the position in the graph from a callback's metadata or a node's `configurable`. */
export function parseNamespace(source: Readonly<Record<string, unknown>>): Namespace {
  const namespace = source.langgraph_checkpoint_ns ?? source.checkpoint_ns;
  return typeof namespace === 'string' ? namespace : '';
}
