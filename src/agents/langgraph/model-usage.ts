import type { AIMessage, UsageMetadata } from '@langchain/core/messages';
import type { FinishReason } from '../../events/run-event.js';
import { normalizeUsage } from '../../events/usage.js';
import { readFinishReason } from './finish-reason.js';
import type { ModelUsage } from './graph-fact.js';
import { readWords } from './message-shape.js';

/** Reports every call, even if its provider counts tokens only in part or not at all: the run's limits count calls as well. */
export function readUsage(
  usage: Partial<UsageMetadata> | undefined,
  model: string,
  finishReason?: FinishReason,
): ModelUsage {
  const { input_token_details: input, output_token_details: output } = usage ?? {};
  return {
    ...normalizeUsage({
      inputTokens: usage?.input_tokens,
      outputTokens: usage?.output_tokens,
      totalTokens: usage?.total_tokens,
      cachedInputTokens: input?.cache_read,
      cacheWriteInputTokens: input?.cache_creation,
      imageInputTokens: input?.image,
      reasoningTokens: output?.reasoning,
      imageOutputTokens: output?.image,
    }),
    model,
    ...(finishReason && { finishReason }),
  };
}

/** Returns the reason why an answer is incomplete. */
export function readReason(
  message: AIMessage,
  beside: Record<string, unknown> | undefined,
): FinishReason | undefined {
  const reason = readFinishReason({ ...beside, ...message.additional_kwargs, ...message.response_metadata });
  const calls = (message.tool_calls?.length ?? 0) + (message.invalid_tool_calls?.length ?? 0);
  return reason ?? (calls === 0 && !readWords(message.content).text ? 'empty' : undefined);
}
