import type { Attributes, Context, Span } from '@opentelemetry/api';
import type { Usage } from '../events/run-event.js';
import { ATTRIBUTES, OPERATIONS, OTHER } from './names.js';
import type { OpenSpan, SpanDeps, SpanPlace } from './run-telemetry.js';

/** A model call as it begins. */
export interface ModelCallStart {
  /** By the conventions' name, such as `openai` or `aws.bedrock`. */
  readonly provider: string;
  readonly model: string;
  readonly temperature?: number;
  readonly maxTokens?: number;
  /** Returns the conversation, in the form of the conventions. Asked only where content goes onto spans. */
  readonly input: () => unknown;
}

/** The answer of a model. */
export interface ModelAnswer {
  readonly usage: Usage;
  /** From the call to the first chunk of the answer. Absent if the model does not stream. */
  readonly firstChunkMs?: number;
  readonly model?: string;
  readonly id?: string;
  /** In the provider's own word. */
  readonly finishReason?: string;
  readonly output: () => unknown;
}

/** A model call under way. */
export class ModelCallTelemetry implements OpenSpan {
  /** True once its request has been sent with its trace. */
  isSent = false;
  readonly context: Context;
  private readonly startedAt = performance.now();
  private readonly span: Span;
  private hasEnded = false;

  constructor(
    private readonly deps: SpanDeps,
    private readonly start: ModelCallStart,
    private readonly place: SpanPlace,
  ) {
    const { api, tracer, options } = deps;
    const { provider, model, temperature, maxTokens, input } = start;
    this.span = tracer.startSpan(
      `${OPERATIONS.model} ${model}`,
      {
        kind: api.SpanKind.CLIENT,
        attributes: {
          [ATTRIBUTES.operation]: OPERATIONS.model,
          [ATTRIBUTES.provider]: provider,
          [ATTRIBUTES.requestModel]: model,
          [ATTRIBUTES.conversation]: place.conversation,
          ...(temperature !== undefined && { [ATTRIBUTES.requestTemperature]: temperature }),
          ...(maxTokens !== undefined && { [ATTRIBUTES.requestMaxTokens]: maxTokens }),
        },
      },
      place.parent,
    );
    this.context = api.trace.setSpan(place.parent, this.span);
    if (options.content && this.span.isRecording())
      this.span.setAttribute(ATTRIBUTES.inputMessages, JSON.stringify(input()));
  }

  end({ usage, firstChunkMs, model, id, finishReason, output }: ModelAnswer): void {
    if (this.hasEnded) return;
    const { span } = this;
    if (span.isRecording()) {
      span.setAttributes({
        ...(model !== undefined && { [ATTRIBUTES.responseModel]: model }),
        ...(id !== undefined && { [ATTRIBUTES.responseId]: id }),
        ...(finishReason !== undefined && { [ATTRIBUTES.finishReasons]: [finishReason] }),
        [ATTRIBUTES.requestStream]: firstChunkMs !== undefined,
        ...(firstChunkMs !== undefined && { [ATTRIBUTES.timeToFirstChunk]: firstChunkMs / 1000 }),
        ...toTokens(usage),
      });
      if (this.deps.options.content) span.setAttribute(ATTRIBUTES.outputMessages, JSON.stringify(output()));
    }
    this.close(undefined, model);
    this.measure(usage, firstChunkMs, this.labels(model));
  }

  /** @param errorType our code; undefined if it has none */
  fail(errorType: string | undefined): void {
    if (this.place.signal.aborted) this.stop();
    else this.close(errorType ?? OTHER);
  }

  stop(): void {
    this.close(undefined);
  }

  private close(errorType: string | undefined, responseModel?: string): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    if (errorType !== undefined) {
      this.span.setAttribute(ATTRIBUTES.errorType, errorType);
      this.span.setStatus({ code: this.deps.api.SpanStatusCode.ERROR });
    }
    this.span.end();
    this.place.onEnd(this);
    const { metrics, options } = this.deps;
    if (!metrics) return;
    const labels = this.labels(responseModel);
    const withError = errorType === undefined ? labels : { ...labels, [ATTRIBUTES.errorType]: errorType };
    const seconds = (performance.now() - this.startedAt) / 1000;
    metrics.record('inferenceDuration', seconds, withError);
    if (options.legacyMetrics) metrics.record('legacyDuration', seconds, withError);
  }

  private measure(usage: Usage, firstChunkMs: number | undefined, labels: Attributes): void {
    const { metrics, options } = this.deps;
    if (!metrics) return;
    if (firstChunkMs !== undefined) metrics.record('timeToFirstChunk', firstChunkMs / 1000, labels);
    metrics.count('inputTokens', usage.inputTokens, labels);
    metrics.count('outputTokens', usage.outputTokens, labels);
    if (usage.cachedInputTokens) metrics.count('cacheReadTokens', usage.cachedInputTokens, labels);
    if (usage.cacheWriteInputTokens) metrics.count('cacheWriteTokens', usage.cacheWriteInputTokens, labels);
    if (usage.reasoningTokens) metrics.count('reasoningTokens', usage.reasoningTokens, labels);
    if (!options.legacyMetrics) return;
    metrics.record('legacyTokens', usage.inputTokens, { ...labels, [ATTRIBUTES.tokenType]: 'input' });
    metrics.record('legacyTokens', usage.outputTokens, { ...labels, [ATTRIBUTES.tokenType]: 'output' });
  }

  private labels(responseModel: string | undefined): Attributes {
    return {
      [ATTRIBUTES.operation]: OPERATIONS.model,
      [ATTRIBUTES.provider]: this.start.provider,
      [ATTRIBUTES.requestModel]: this.start.model,
      ...(responseModel !== undefined && { [ATTRIBUTES.responseModel]: responseModel }),
    };
  }
}

function toTokens(usage: Usage): Attributes {
  const { inputTokens, outputTokens, cachedInputTokens, cacheWriteInputTokens, reasoningTokens } = usage;
  return {
    [ATTRIBUTES.inputTokens]: inputTokens,
    [ATTRIBUTES.outputTokens]: outputTokens,
    ...(cachedInputTokens !== undefined && { [ATTRIBUTES.cacheReadTokens]: cachedInputTokens }),
    ...(cacheWriteInputTokens !== undefined && { [ATTRIBUTES.cacheWriteTokens]: cacheWriteInputTokens }),
    ...(reasoningTokens !== undefined && { [ATTRIBUTES.reasoningTokens]: reasoningTokens }),
  };
}
