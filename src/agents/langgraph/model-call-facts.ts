import type { AIMessage, BaseMessage } from '@langchain/core/messages';
import type { ModelAnswer, ModelCallStart } from '../../telemetry/model-call.telemetry.js';
import type { ModelUsage } from './graph-fact.js';
import { readWords } from './message-shape.js';
import { toModelError } from './model.errors.js';

/** The conventions' names of providers, where LangChain has others. */
const PROVIDERS: Readonly<Record<string, string>> = {
  amazon_bedrock: 'aws.bedrock',
  azure: 'azure.ai.openai',
  azure_openai: 'azure.ai.openai',
  google_genai: 'gcp.gemini',
  google_vertexai: 'gcp.vertex_ai',
  mistral: 'mistral_ai',
  mistralai: 'mistral_ai',
  xai: 'x_ai',
};

/** The type of error of a call that was given up. */
const ABORTED = 'aborted';

const ROLES: Readonly<Record<string, string>> = { human: 'user', ai: 'assistant' };

/** Reads what LangChain tells of a model call as it begins. */
export function toModelCallStart(
  metadata: Readonly<Record<string, unknown>>,
  messages: readonly BaseMessage[],
  model: string,
): ModelCallStart {
  const { ls_provider: provider, ls_temperature: temperature, ls_max_tokens: maxTokens } = metadata;
  return {
    provider: typeof provider === 'string' ? (PROVIDERS[provider] ?? provider) : 'unknown',
    model,
    ...(typeof temperature === 'number' && { temperature }),
    ...(typeof maxTokens === 'number' && { maxTokens }),
    input: () => messages.map(toSpanMessage),
  };
}

/** Reads what a trace shows of an answer. */
export function toModelAnswer(message: AIMessage | undefined, usage: ModelUsage): ModelAnswer {
  const { response_metadata: about, additional_kwargs: beside, id } = message ?? {};
  const named = { ...beside, ...about } as Readonly<Record<string, unknown>>;
  const reason = named.finish_reason ?? named.stop_reason ?? named.done_reason;
  return {
    usage,
    ...(usage.firstTokenMs !== undefined && { firstChunkMs: usage.firstTokenMs }),
    model: usage.model,
    ...(id !== undefined && { id }),
    ...(typeof reason === 'string' && { finishReason: reason }),
    output: () => (message ? [toSpanMessage(message)] : []),
  };
}

/** Returns our code for the failure of a model call; undefined if it has none. */
export function toModelErrorType(error: unknown): string | undefined {
  const known = toModelError(error)?.code;
  return known ?? ((error as Error | undefined)?.name === 'AbortError' ? ABORTED : undefined);
}

/** Returns the message in the form of the conventions: a role, and parts. */
function toSpanMessage(message: BaseMessage) {
  const { content, type, additional_kwargs: beside } = message;
  const { text, reasoning } = readWords(content, beside);
  const { tool_calls: calls = [], tool_call_id: callId } = message as Partial<AIMessage> & {
    readonly tool_call_id?: string;
  };
  if (callId !== undefined)
    return { role: 'tool', parts: [{ type: 'tool_call_response', id: callId, result: text }] };
  return {
    role: ROLES[type] ?? type,
    parts: [
      ...(reasoning === '' ? [] : [{ type: 'reasoning', content: reasoning }]),
      ...(text === '' ? [] : [{ type: 'text', content: text }]),
      ...calls.map(({ id, name, args }) => ({ type: 'tool_call', id, name, arguments: args })),
    ],
  };
}
