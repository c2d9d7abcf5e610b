// The module
export { ChatModule } from './chat/chat.module.js';
export type { AgentKit, ChatModuleExtras, ChatModuleOptions } from './chat/chat.options.js';
export { ChatHealthIndicator } from './chat/chat-health.indicator.js';
export type { ChatHealth } from './chat/chat-health.indicator.js';
export type { AuthOptions } from './auth/auth.options.js';
export type { IncomingRequest } from './auth/authentication.js';
export { bringsStreamTicket } from './auth/accepts-ticket.decorator.js';
export { Sessions } from './auth/sessions.js';
export type { SecurityEvent } from './security/security-event.js';
export { isAgentStreamRoute } from './http/own-route.js';
export type { TelemetryOptions } from './telemetry/telemetry.options.js';
export type { ThrottlingOptions } from './throttling/throttling.options.js';
export { redactUrl, SECRET_LOG_PATHS } from './auth/redact.js';
export type { RetentionOptions } from './runs/retention.service.js';
export type { RunHooks } from './runs/run.hooks.js';
export type { ModelPrices, PriceTable } from './runs/prices.js';
export type { RunLimits } from './runs/run-limits.js';
export type { Owner, Principal } from './principal.js';
export { AppError, ERROR_CODES } from './errors.js';
export type { ErrorCode } from './errors.js';

// Tools; those that are there already, and what all of them go through, are in ./tools
export { AgentTool } from './tools/agent-tool.decorator.js';
export type { ToolContext, ToolOptions } from './tools/agent-tool.js';
export type { QuestionAnswer, ToolQuestion } from './tools/call-questions.js';
export { ToolError } from './tools/tool.error.js';
export type { McpServerOptions } from './tools/mcp/mcp.options.js';

// Agents; those that drive a graph are in ./langgraph
export { Agent } from './agents/agent.js';
export type { AgentContext, AgentInput } from './agents/agent.js';
export type { TitleContext } from './agents/title-context.js';
export {
  AgentMemory,
  type MemoryItem,
  type MemoryPut,
  type MemorySearch,
  type NamespaceSearch,
} from './agents/agent-memory.js';
export type { AgentStore, Embedding, StoreIndex, StoreOptions } from './agents/agent-store.js';
export { AgentRegistry } from './agents/agent.registry.js';

// Runs: the services behind the routes, for code that does the same
export { RunService } from './runs/run.service.js';
export type { StartRunRequest } from './runs/run.service.js';
export { InputService } from './runs/input.service.js';
export { SwitchService } from './switches/switch.service.js';
export type { SwitchTarget } from './switches/switch.js';
export { ThreadService } from './runs/thread.service.js';
export { ErasureService } from './runs/erasure.service.js';
export { FeedbackService } from './runs/feedback.service.js';
export type { FeedbackFilter } from './runs/feedback.service.js';
export type { Feedback, GivenFeedback } from './runs/feedback.js';
export { FileService } from './runs/file.service.js';
export type { StoredBlob } from './runs/blob.store.js';
export type { FileLimits } from './runs/run-files.js';
export { RunFeed } from './runs/run.feed.js';
export { hasEnded } from './runs/run.js';
export type { Run, Thread } from './runs/run.js';

// Events; the views of them are in ./client
export type {
  FileFacts,
  FileOmission,
  KeepFile,
  NewFile,
  PlacedFile,
  SourceFacts,
} from './events/message-part.js';
export type { RequestedInput } from './events/requested-input.js';
export type { RecordedEvent } from './events/recorded-event.js';
export type { RunEvent, RunEventType } from './events/run-event.js';
