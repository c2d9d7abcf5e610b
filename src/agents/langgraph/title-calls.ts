import { BaseCallbackHandler } from '@langchain/core/callbacks/base';
import type { AIMessage, BaseMessage, UsageMetadata } from '@langchain/core/messages';
import type { LLMResult } from '@langchain/core/outputs';
import type { ModelCallTelemetry } from '../../telemetry/model-call.telemetry.js';
import type { TitleContext } from '../title-context.js';
import type { ModelUsage } from './graph-fact.js';
import { toModelAnswer, toModelCallStart, toModelErrorType } from './model-call-facts.js';
import { measure, readAskedModel, readModelName, readUsage, type TimedCall } from './model-usage.js';

interface TitleCall extends TimedCall {
  readonly model: string;
  readonly telemetry: ModelCallTelemetry | undefined;
}

/** Reports the model calls of a title. A wrapper around models may make several. */
export class TitleCalls extends BaseCallbackHandler {
  override readonly name = 'TitleCalls';
  override readonly awaitHandlers = true;
  private readonly calls = new Map<string, TitleCall>();

  constructor(private readonly context: TitleContext) {
    super();
  }

  override handleChatModelStart(
    _model: unknown,
    [asked = []]: BaseMessage[][],
    callId: string,
    _parent?: string,
    _extra?: Record<string, unknown>,
    _tags?: string[],
    metadata: Record<string, unknown> = {},
  ): void {
    const model = readAskedModel(metadata);
    const telemetry = this.context.telemetry?.beginModelCall(toModelCallStart(metadata, asked, model));
    this.calls.set(callId, { model, telemetry, startedAt: Date.now() });
  }

  override handleLLMNewToken(_token: string, _indices: unknown, callId: string): void {
    const call = this.calls.get(callId);
    if (call) call.firstTokenAt ??= Date.now();
  }

  override handleLLMEnd(output: LLMResult, callId: string): void {
    const generation = output.generations[0]?.[0];
    const message = generation && 'message' in generation ? (generation.message as AIMessage) : undefined;
    this.end(callId, message, message?.usage_metadata);
  }

  override handleLLMError(error: unknown, callId: string): void {
    const call = this.take(callId);
    if (!call) return;
    call.telemetry?.fail(toModelErrorType(error));
    this.report({ ...readUsage(undefined, call.model), ...measure(call), failed: true });
  }

  /** Ends the calls whose answers are read no further. LangChain says nothing of them. @param counted tokens that the provider had counted by then */
  cutOff(counted: UsageMetadata | undefined): void {
    for (const callId of this.calls.keys()) this.end(callId, undefined, counted);
  }

  private end(callId: string, message: AIMessage | undefined, counted: UsageMetadata | undefined): void {
    const call = this.take(callId);
    if (!call) return;
    const usage = { ...readUsage(counted, readModelName(message) ?? call.model), ...measure(call) };
    call.telemetry?.end(toModelAnswer(message, usage));
    this.report(usage);
  }

  private take(callId: string): TitleCall | undefined {
    const call = this.calls.get(callId);
    this.calls.delete(callId);
    return call;
  }

  private report(usage: ModelUsage): void {
    this.context.report({ type: 'usage', ...usage });
  }
}
