import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint';
import type { ToolTrackingService } from '../../tools/tool-tracking.service.js';
import type { AgentDefaults } from '../agent.js';
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
  /**
   * Module that the graph is from, as for `loadGraph`. If it is TypeScript, and `@langchain/langgraph-api` is installed in its project, schemas that the graph
   * itself does not have are read from its types. Default: those are unknown.
   */
  readonly module?: string;
  readonly checkpointer: BaseCheckpointSaver;
  readonly tracking: ToolTrackingService;
  /** What the graph keeps beyond a thread: `runtime.store` and `getStore()`. Default: none. A graph that was compiled with a store of its own uses that. */
  readonly store?: AgentStore;
  /** Bytes of text of a tool's result that go into the conversation; the rest is cut off, with a note. Default 128 KiB. */
  readonly toolResultMaxBytes?: number;
  /** Supersteps after which a run ends as RUN_LIMIT, where the graph itself (`withConfig`) sets no limit. Default 100. */
  readonly recursionLimit?: number;
  /**
   * The keys of `configurable` that a request may set: all but LangGraph's own and ours, or these (`*` among them is all). Default: none, and a request with one is
   * refused. `user_id` has to be named, because its value is only what the client says: who asks is in `runtime.context.principal`.
   */
  readonly configurable?: boolean | readonly string[];
  /** Values of `configurable` and `context` that a run gets where its start gives none, whatever a request may set. Default: none. */
  readonly defaults?: AgentDefaults;
  /**
   * True if a request may change the graph's state: any key, as any node, and what runs next. That goes past the graph's own order of nodes, and past
   * the schema of its input. Default false.
   */
  readonly takesStateChanges?: boolean;
  /** False if its runs take no messages while they are under way: a client's message then waits for the run's end. Default true. */
  readonly isSteerable?: boolean;
  /**
   * True to keep the state after each superstep, and not only the last one of each run: the thread's history has them all, and can be continued from each.
   * They count for the limit of a thread's states. Default false.
   */
  readonly keepsStates?: boolean;
  /**
   * The graph's own tools whose arguments and results people may see: all of them, or these. Default: none. Tools of `toolMiddleware` say it
   * themselves, by their `expose`.
   */
  readonly exposeTools?: boolean | readonly string[];
  /**
   * Keys of the graph's state that people may see beside its messages: all that its output schema has, or these. Default: `structuredResponse`, the
   * answer of an agent with a `responseFormat`. `false`: messages only. With all, or with `messages` among them, the conversation also has the messages that
   * nodes return in the person's name.
   */
  readonly exposeState?: boolean | readonly string[];
  /**
   * True to show people the name and the message of an error that the graph throws, in every protocol. They may name hosts, files, queries and parts of other
   * people's data: an error's text is written for those who run the service. Default false: people read that the agent failed, and the log has the error.
   */
  readonly exposeErrors?: boolean;
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
  /**
   * Media types of files that the graph takes in a message, and ranges of them such as `image/*`. In its state a file is a content block with an id:
   * `fileMiddleware` or `readFiles` puts the bytes in before a model call. Default: none, and a start with a file is refused.
   */
  readonly accepts?: readonly string[];
  /** Questions that a page may offer to people who begin a conversation with it. Default: none. */
  readonly suggestions?: readonly string[];
  /** Model that makes titles for conversations, with `titles: 'model'` of the module. Default: none, and they keep the first line of their first message. */
  readonly titleModel?: BaseChatModel;
  /** False for a graph in which a model decides what is done next. Traces name it `invoke_agent` then, and else `invoke_workflow`. Default true. */
  readonly isWorkflow?: boolean;
}
