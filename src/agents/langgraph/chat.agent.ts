import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint';
import { createAgent } from 'langchain';
import type { ToolRegistry } from '../../tools/tool.registry.js';
import type { ToolTrackingService } from '../../tools/tool-tracking.service.js';
import type { CompiledGraph } from './graph.loader.js';
import { LangGraphAgent } from './langgraph.agent.js';
import { toolMiddleware } from './tool.middleware.js';

export interface ChatAgentOptions {
  readonly name: string;
  readonly description: string;
  readonly roles?: readonly string[];
  readonly model: BaseChatModel;
  readonly systemPrompt?: string;
  /** Each call sees those that its principal may use, as they are registered at that moment. */
  readonly tools: ToolRegistry;
  readonly tracking: ToolTrackingService;
  readonly checkpointer: BaseCheckpointSaver;
}

/**
 * LangChain's agent (`createAgent`: a model and tools in a loop) with the tools of this application. In `agents` of the module:
 * `(kit) => [createChatAgent({ ...kit, name, description, model })]`.
 */
export function createChatAgent(options: ChatAgentOptions): LangGraphAgent {
  const { name, description, roles, model, systemPrompt, tools, tracking, checkpointer } = options;
  const agent = createAgent({
    name,
    model,
    tools: [],
    middleware: [toolMiddleware(tools, tracking)],
    ...(systemPrompt && { systemPrompt }),
  });
  const graph = agent.graph as unknown as CompiledGraph;
  return new LangGraphAgent({ name, description, graph, tracking, checkpointer, ...(roles && { roles }) });
}
