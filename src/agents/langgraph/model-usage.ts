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

/** Times of a model call, by this process' clock. */
export interface TimedCall {
  readonly startedAt: number;
  firstTokenAt?: number;
}

/** Measures a call that ends now. */
export function measure({
  startedAt,
  firstTokenAt,
}: TimedCall): Pick<ModelUsage, 'durationMs' | 'firstTokenMs'> {
  const since = (at: number) => Math.max(0, at - startedAt);
  const firstToken = firstTokenAt !== undefined && { firstTokenMs: since(firstTokenAt) };
  return { durationMs: since(Date.now()), ...firstToken };
}

/** Returns the name of the model that was asked, as LangChain tells it when a call begins. */
export function readAskedModel({ ls_model_name: name }: Readonly<Record<string, unknown>>): string {
  return typeof name === 'string' ? name : 'unknown';
}

/** Returns the name of the model as its provider reports it. Undefined if it does not. */
export function readModelName(message: AIMessage | undefined): string | undefined {
  const named: unknown = message?.response_metadata?.model_name ?? message?.response_metadata?.model;
  return typeof named === 'string' ? named : undefined;
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
