// The module
export { ChatModule } from './chat/chat.module.js';
export type { AgentKit, ChatModuleExtras, ChatModuleOptions, ProtocolsOptions } from './chat/chat.options.js';
export type {
  ApiKeyOptions,
  AuthOptions,
  CredentialsAuthOptions,
  HostAuthOptions,
  JwtOptions,
  LocalAuthOptions,
} from './auth/auth.options.js';
export type { IncomingRequest } from './auth/authentication.js';
export { bringsStreamTicket } from './auth/accepts-ticket.decorator.js';
export { isAgentStreamRoute } from './http/own-route.js';
export type { ThrottlingCounters, ThrottlingOptions } from './throttling/throttling.options.js';
export type { RetentionOptions } from './runs/retention.service.js';
export type { RunChanges, RunHooks } from './runs/run.hooks.js';
export type { RunLimits } from './runs/run.limits.js';
export type { Owner, Principal } from './principal.js';
export { AppError, ERROR_CODES } from './errors.js';
export type { ErrorCode } from './errors.js';

// Tools
export { AgentTool } from './tools/agent-tool.decorator.js';
export type { AgentToolMethod } from './tools/agent-tool.decorator.js';
export type { Tool, ToolContext, ToolOptions, ToolProgressUpdate, ToolRun } from './tools/agent-tool.js';
export type { Exposed, Exposure } from './tools/exposure.js';
export type { ToolRequest } from './tools/tool.explorer.js';
export type { McpHttp, McpServerOptions, McpStdio, McpToolOptions } from './tools/mcp/mcp.options.js';
export { ToolRegistry } from './tools/tool.registry.js';
export { ToolTrackingService } from './tools/tool-tracking.service.js';
export type { OpenToolCall, ToolAnswer } from './tools/tool-tracking.service.js';
export type { ToolCall } from './tools/tool.call.js';
export { ApprovalPolicy } from './tools/approval.policy.js';
export type { ApprovalDefaults, ApprovalOptions } from './tools/approval.policy.js';

// Tools that are there already
export { LIBRARY_TOOLS } from './tools/library/tool-library.js';
export { ToolLibraryOptions } from './tools/library/tool-library.options.js';
export { CalculatorTool } from './tools/library/calculator/calculator.tool.js';
export { ClockTool } from './tools/library/clock.tool.js';
export { DataLookupTool } from './tools/library/data-lookup/data-lookup.tool.js';
export { HttpFetchTool } from './tools/library/http-fetch/http-fetch.tool.js';
export { KnowledgeSearchTool } from './tools/library/knowledge-search/knowledge-search.tool.js';
export { WebSearchTool } from './tools/library/web-search/web-search.tool.js';

// Agents
export { Agent } from './agents/agent.js';
export type { AgentContext, AgentInput } from './agents/agent.js';
export { AgentRegistry } from './agents/agent.registry.js';
export { createChatAgent } from './agents/langgraph/chat.agent.js';
export type { ChatAgentOptions } from './agents/langgraph/chat.agent.js';
export { LangGraphAgent } from './agents/langgraph/langgraph.agent.js';
export type { LangGraphAgentOptions } from './agents/langgraph/langgraph.agent.js';
export { loadGraph } from './agents/langgraph/graph.loader.js';
export type { CompiledGraph } from './agents/langgraph/graph.loader.js';
export { createModel } from './agents/langgraph/model.factory.js';
export type { ModelOptions } from './agents/langgraph/model.factory.js';
export { toolMiddleware } from './agents/langgraph/tool.middleware.js';

// Runs: what the routes do, for those who do it from code
export { RunService } from './runs/run.service.js';
export type { StartRun } from './runs/run.service.js';
export { ApprovalService } from './runs/approval.service.js';
export type { Decided } from './runs/approval.service.js';
export { ThreadService } from './runs/thread.service.js';
export type { ThreadMessage } from './runs/thread.service.js';
export { RunFeed } from './runs/run.feed.js';
export type { Follow } from './runs/run.feed.js';
export { hasEnded } from './runs/run.js';
export type { Run, RunStatus, Thread } from './runs/run.js';

// Events
export type { Approval, ApprovalAnswer, GivenAnswer } from './events/approval.js';
export type { Emit } from './events/emit.js';
export type { RecordedEvent } from './events/recorded-event.js';
export type {
  PublicError,
  RunEvent,
  RunEventType,
  RunOutcome,
  ToolOutcome,
  Usage,
} from './events/run-event.js';
export { applyEvent, emptyView, foldRun, textOf, withDecisions } from './events/run-view.js';
export type { RunView, ViewPart } from './events/run-view.js';

// Storages, and the ports for one of your own
export { SqliteStorage } from './storage/sqlite/sqlite.storage.js';
export type { SqliteStorageOptions } from './storage/sqlite/sqlite.storage.js';
export { MemoryStorage } from './storage/memory/memory.storage.js';
export { Storage } from './storage/storage.js';
export { CheckpointFencedError, fenceOf } from './storage/checkpoint.fence.js';
export type { CheckpointFence } from './storage/checkpoint.fence.js';
export { EventLog } from './runs/event.log.js';
export type { AppendBatch, AppendResult, RunEnding } from './runs/event.log.js';
export { Retention } from './runs/retention.js';
export type { IdleThreads } from './runs/retention.js';
export { RunStore } from './runs/run.store.js';
export type {
  AnswerResult,
  CreateResult,
  NewAnswers,
  NewRun,
  Page,
  PageRequest,
  RenewResult,
  RunOwnership,
} from './runs/run.store.js';
export { Wakeups } from './runs/wakeups.js';
export type { WakeupTopic } from './runs/wakeups.js';
