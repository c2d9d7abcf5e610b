import type { RunnableConfig } from '@langchain/core/runnables';
import type { ToolRun } from '../../tools/agent-tool.js';
import type { Namespace } from './graph-fact.js';
import type { PutCheckpoint, RunCheckpoints } from './run-checkpoints.js';

/** The run that a graph is working for, as middleware, tools and checkpointer find it in their config. */
export interface ActiveRun {
  readonly run: ToolRun;
  /** Work begins in this place of the graph; LangGraph's own word of it may come later. */
  readonly stepStarted: (namespace: Namespace) => void;
  /** True while a tool is at work around that place. */
  readonly isInsideTool: (namespace: Namespace) => boolean;
  readonly checkpoints: RunCheckpoints;
  /** The graph itself has reached a state, and the steps that led to it are over. What this emits commits with it. */
  readonly stateReached: (put: PutCheckpoint) => void;
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
  const namespace = readNamespace(source);
  return namespace.includes('error_handler__') ? withoutFailedNode(namespace) : namespace;
}

/** Returns the task of the node whose failure the source handles, as its `errorHandler` or a default one; undefined for any other node. */
export function findFailedStep(source: Readonly<Record<string, unknown>>): string | undefined {
  const segments = readNamespace(source).split('|');
  const failed = isErrorHandler(segments.at(-1)) ? segments.at(-2) : undefined;
  return failed?.slice(failed.lastIndexOf(':') + 1);
}

function readNamespace(source: Readonly<Record<string, unknown>>): Namespace {
  const namespace = source.langgraph_checkpoint_ns ?? source.checkpoint_ns;
  return typeof namespace === 'string' ? namespace : '';
}

/** LangGraph places the handler of a failure inside the node that has failed, for callbacks alone. It is another step beside it. */
function withoutFailedNode(namespace: Namespace): Namespace {
  const segments = namespace.split('|');
  return segments.filter((_, index) => !isErrorHandler(segments[index + 1])).join('|');
}

function isErrorHandler(segment = ''): boolean {
  return /^__(default_)?error_handler__/.test(segment);
}
