// Agents that drive a graph of LangGraph
export { createChatAgent } from './chat.agent.js';
export type { ChatAgentOptions } from './chat.agent.js';
export { LangGraphAgent } from './langgraph.agent.js';
export type { LangGraphAgentOptions } from './langgraph-agent.options.js';
export { loadGraph } from './graph.loader.js';
export type { CompiledGraph, GraphFactory, GraphSource } from './graph-source.js';
export { createModel } from './model.factory.js';
export type { ModelOptions } from './model.factory.js';
export { toolMiddleware } from './tool.middleware.js';
export { fileMiddleware } from './file.middleware.js';
export { readFiles } from './resolve-files.js';

// The run that writes a checkpoint, for a checkpointer of your own
export { CheckpointFencedError, getFence } from './checkpoint-fence.js';
export type { CheckpointFence } from './checkpoint-fence.js';
