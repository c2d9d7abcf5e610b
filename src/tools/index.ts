// Tools that are there already
export { LIBRARY_TOOLS } from './library/tool-library.js';
export { ToolLibraryOptions } from './library/tool-library.options.js';
export { CalculatorTool } from './library/calculator/calculator.tool.js';
export { ClockTool } from './library/clock.tool.js';
export { DataLookupTool } from './library/data-lookup/data-lookup.tool.js';
export { HttpFetchTool } from './library/http-fetch/http-fetch.tool.js';
export { KnowledgeSearchTool } from './library/knowledge-search/knowledge-search.tool.js';
export { WebSearchTool } from './library/web-search/web-search.tool.js';

// The options of a tool
export type { ConversationSources, Tool, ToolProgressUpdate, ToolRun } from './agent-tool.js';
export type { Exposed, Exposure } from './exposure.js';
export type { ToolConcurrency } from './tool-call-slots.js';
export type { TaintOptions } from './taint.policy.js';
export type { ApprovalDefaults, ApprovalOptions } from './approval.policy.js';
export type { McpHttp, McpStdio, McpToolOptions } from './mcp/mcp.options.js';

// What the tools of a module go through
export { ToolRegistry } from './tool.registry.js';
export { ToolTrackingService } from './tool-tracking.service.js';
export type { ToolReply } from './tool-tracking.service.js';
export type { OpenToolCall } from './open-tool-call.js';
export type { ToolCall } from './tool-call.js';
export type { ToolRequest } from './tool.explorer.js';
export type { AgentToolMethod } from './agent-tool.decorator.js';
export { ApprovalPolicy } from './approval.policy.js';
export { TaintPolicy } from './taint.policy.js';

// The tools of MCP servers
export { McpPins } from './mcp/mcp-pins.js';
export type { McpPin, McpRefusal, McpRefusalReason, McpDescription, McpToolName } from './mcp/mcp-pins.js';
