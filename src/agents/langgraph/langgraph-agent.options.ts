import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint';
import type { ToolTrackingService } from '../../tools/tool-tracking.service.js';
import type { AgentStore } from '../agent-store.js';
import type { GraphFactory, GraphSource } from './graph-source.js';

/** Supersteps of LangGraph that a run may take. */
export const DEFAULT_RECURSION_LIMIT = 100;

export interface LangGraphAgentOptions {
  readonly name: string;
  readonly description: string;
  readonly roles?: readonly string[];
  /**
   * Any graph, compiled or not, and what `createAgent` returns. It gets our checkpointer, whatever it was compiled with. A function makes one for each
   * run, from that run's `configurable`, `metadata` and `store`.
   */
  readonly graph: GraphSource | GraphFactory;
  readonly checkpointer: BaseCheckpointSaver;
  readonly tracking: ToolTrackingService;
  /** What the graph keeps beyond a thread: `runtime.store` and `getStore()`. Default: none. A graph that was compiled with a store of its own uses that. */
  readonly store?: AgentStore;
  /** Bytes of text of a tool's result that go into the conversation; the rest is cut off, with a note. Default 128 KiB. */
  readonly toolResultMaxBytes?: number;
  /** Supersteps after which a run ends as RUN_LIMIT, where the graph itself (`withConfig`) sets no limit. Default 100. */
  readonly recursionLimit?: number;
  /** The keys of `configurable` that a request may set: all but LangGraph's own and ours, or these. Default: none, and a request with one is refused. */
  readonly configurable?: boolean | readonly string[];
  /**
   * The graph's own tools whose arguments and results people may see: all of them, or these. Default: none. Tools of `toolMiddleware` say it
   * themselves, by their `expose`.
   */
  readonly exposeTools?: boolean | readonly string[];
  /**
   * Keys of the graph's state that people may see beside its messages: all that its output schema has, or these. Default: `structuredResponse`, the
   * answer of an agent with a `responseFormat`. `false`: messages only.
   */
  readonly exposeState?: boolean | readonly string[];
  /** Bytes of JSON of the state that is shown. The largest keys are left out until the rest fits, and are named. Default 256 KiB. */
  readonly stateMaxBytes?: number;
  /**
   * Holds each message back until what may change or remove it has run: until its node comes again, or the run is over. For graphs whose guardrails
   * (`piiMiddleware`, a moderation) look at whole messages. Default false: words are shown as they are said, and superseded where they are replaced.
   */
  readonly holdMessages?: boolean;
  /**
   * True if a start may declare tools that its front end runs. For graphs whose model calls go through `toolMiddleware`, which shows them to the
   * model. Default false: a start that declares some is refused.
   */
  readonly takesClientTools?: boolean;
}
