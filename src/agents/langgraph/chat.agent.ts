import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint';
import { createAgent, modelFallbackMiddleware, type AnyAgentMiddleware } from 'langchain';
import type { ToolRegistry } from '../../tools/tool.registry.js';
import type { ToolTrackingService } from '../../tools/tool-tracking.service.js';
import type { AgentStore } from '../agent-store.js';
import { contextMiddleware } from './context.middleware.js';
import { acceptedBy } from './accepted-files.js';
import { fileMiddleware } from './file.middleware.js';
import { LangGraphAgent } from './langgraph.agent.js';
import { toolMiddleware } from './tool.middleware.js';

export interface ChatAgentOptions {
  readonly name: string;
  readonly description: string;
  readonly roles?: readonly string[];
  readonly model: BaseChatModel;
  /** Models that answer when the one before them fails, in this order. Default: none. */
  readonly fallbacks?: readonly BaseChatModel[];
  /**
   * Tokens, by estimate, that a conversation may have before its oldest turns are left out of what the model gets. Default: four fifths of what
   * LangChain knows of the model; of a model that it does not know, no limit.
   */
  readonly contextMaxTokens?: number;
  /**
   * Media types of files that the model takes in a message, and ranges of them such as `image/*`. Default: images, PDF and audio by what LangChain knows
   * of the model, and text, which becomes part of the message.
   */
  readonly accepts?: readonly string[];
  readonly systemPrompt?: string;
  /** Questions that a page may offer to people who begin a conversation with it. Default: none. */
  readonly suggestions?: readonly string[];
  /** Each call sees those that its principal may use, as they are registered at that moment. */
  readonly tools: ToolRegistry;
  readonly tracking: ToolTrackingService;
  /** Bytes of text of a tool's result that go into the conversation; the rest is cut off, with a note. Default 128 KiB. */
  readonly toolResultMaxBytes?: number;
  readonly checkpointer: BaseCheckpointSaver;
  /** Memory of tools and middleware beyond a thread: `getStore()`, `runtime.store`. Default: none. */
  readonly store?: AgentStore;
  /** Keys of the state of `middleware` that people may see, such as `todos`; or all of them. Default: none. */
  readonly exposeState?: boolean | readonly string[];
  /** LangChain's middleware, or your own; it works around the tools of this application. */
  readonly middleware?: readonly AnyAgentMiddleware[];
}

/**
 * LangChain's agent (`createAgent`: a model and tools in a loop) with the tools of this application. In `agents` of the module:
 * `(kit) => [createChatAgent({ ...kit, name, description, model })]`.
 */
export function createChatAgent(options: ChatAgentOptions): LangGraphAgent {
  const { name, description, roles, model, systemPrompt, tools, tracking, checkpointer } = options;
  const { store, exposeState = false, toolResultMaxBytes, contextMaxTokens } = options;
  const { fallbacks = [], middleware = [] } = options;
  const all: AnyAgentMiddleware[] = [
    ...middleware,
    ...(fallbacks.length > 0 ? [modelFallbackMiddleware(...fallbacks)] : []),
    toolMiddleware(tools, tracking),
    contextMiddleware(contextMaxTokens),
    fileMiddleware(options.accepts),
  ];
  const agent = createAgent({
    name,
    model,
    tools: [],
    middleware: all,
    ...(systemPrompt && { systemPrompt }),
  });
  return new LangGraphAgent({
    name,
    description,
    graph: agent,
    tracking,
    checkpointer,
    accepts: options.accepts ?? acceptedBy(model),
    takesClientTools: true,
    titleModel: model,
    isWorkflow: false,
    ...(store && { store }),
    ...(options.suggestions && { suggestions: options.suggestions }),
    exposeState,
    ...(roles && { roles }),
    ...(toolResultMaxBytes !== undefined && { toolResultMaxBytes }),
  });
}
