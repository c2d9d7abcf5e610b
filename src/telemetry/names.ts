/**
 * Every name that leaves this project by OpenTelemetry. Those that begin with `gen_ai.` and `mcp.` are of the semantic conventions for
 * generative AI, v0.1.0 (the first release apart from the general conventions); those of `agent_stream.` are ours, for facts that no
 * convention has.
 */
export const SCOPE = 'nestjs-agent-stream';

export const OPERATIONS = {
  agent: 'invoke_agent',
  workflow: 'invoke_workflow',
  model: 'chat',
  tool: 'execute_tool',
} as const;

/** Spans that no convention has. */
export const OWN_SPANS = {
  start: 'start_run',
  commit: 'commit_events',
} as const;

export const ATTRIBUTES = {
  errorType: 'error.type',
  operation: 'gen_ai.operation.name',
  agent: 'gen_ai.agent.name',
  conversation: 'gen_ai.conversation.id',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  requestStream: 'gen_ai.request.stream',
  requestTemperature: 'gen_ai.request.temperature',
  requestMaxTokens: 'gen_ai.request.max_tokens',
  responseModel: 'gen_ai.response.model',
  responseId: 'gen_ai.response.id',
  finishReasons: 'gen_ai.response.finish_reasons',
  timeToFirstChunk: 'gen_ai.response.time_to_first_chunk',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cacheReadTokens: 'gen_ai.usage.cache_read.input_tokens',
  cacheWriteTokens: 'gen_ai.usage.cache_write.input_tokens',
  reasoningTokens: 'gen_ai.usage.reasoning.output_tokens',
  tokenType: 'gen_ai.token.type',
  toolName: 'gen_ai.tool.name',
  toolCallId: 'gen_ai.tool.call.id',
  toolType: 'gen_ai.tool.type',
  toolDescription: 'gen_ai.tool.description',
  mcpMethod: 'mcp.method.name',
  /** Content; only where the option says so. */
  inputMessages: 'gen_ai.input.messages',
  outputMessages: 'gen_ai.output.messages',
  toolArguments: 'gen_ai.tool.call.arguments',
  toolResult: 'gen_ai.tool.call.result',
  mcpServer: 'agent_stream.mcp.server',
  runId: 'agent_stream.run.id',
  runOutcome: 'agent_stream.run.outcome',
  continuedRunId: 'agent_stream.run.continued',
  acquisition: 'agent_stream.run.acquisition',
  toolOutcome: 'agent_stream.tool.outcome',
  protocol: 'agent_stream.protocol',
  reason: 'agent_stream.reason',
  hook: 'agent_stream.hook',
  rating: 'agent_stream.feedback.rating',
  result: 'agent_stream.result',
} as const;

/** Values of `error.type` for an error that has no code of ours. */
export const OTHER = '_OTHER';
