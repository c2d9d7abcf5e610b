import type { Context, Span, Tracer } from '@opentelemetry/api';
import type { PublicError } from '../events/run-event.js';
import type { Metrics } from './metrics.js';
import { ModelCallTelemetry, type ModelCallStart } from './model-call.telemetry.js';
import { ATTRIBUTES, OPERATIONS, OWN_SPANS } from './names.js';
import type { OtelApi } from './otel.js';
import type { ResolvedTelemetryOptions, TracedWork } from './telemetry.js';
import { ToolCallTelemetry, type ToolCallStart } from './tool-call.telemetry.js';

/** Dependencies of all spans of a run. */
export interface SpanDeps {
  readonly api: OtelApi;
  readonly tracer: Tracer;
  readonly metrics: Metrics | undefined;
  readonly options: ResolvedTelemetryOptions;
}

/** The end of an owner's work: that of the run, or why another owner goes on. */
export interface WorkEnd {
  readonly outcome: string;
  /** Absent: no error. A run that was cancelled, or waits for a person, has none. */
  readonly error?: PublicError;
}

/** A span of a run that is not over. */
export interface OpenSpan {
  /** Ends it as stopped from outside, which is no error. */
  stop(): void;
}

/** An owner's work on a run: its span, those of the calls in it, and their metrics. */
export class RunTelemetry {
  private readonly startedAt = performance.now();
  private readonly span: Span | undefined;
  private readonly open = new Set<OpenSpan>();
  private modelCalls = 0;
  private toolCalls = 0;
  private hasEnded = false;

  /** @param context that in which the agent works */
  constructor(
    private readonly deps: SpanDeps,
    private readonly work: TracedWork,
    private readonly context: Context,
  ) {
    this.span = deps.api.trace.getSpan(context);
  }

  /** Does the agent's work as part of this trace: what it calls can find the span as the active one. */
  within<Result>(work: () => Result): Result {
    const { api } = this.deps;
    return api.context.with(this.context.setValue(ofRun(api), this), work);
  }

  beginModelCall(start: ModelCallStart): ModelCallTelemetry {
    this.modelCalls += 1;
    return this.keep(new ModelCallTelemetry(this.deps, start, this.place()));
  }

  beginToolCall(start: ToolCallStart): ToolCallTelemetry {
    this.toolCalls += 1;
    return this.keep(new ToolCallTelemetry(this.deps, start, this.place()));
  }

  /** Shows a commit that the run waits for. Those that it does not wait for are in the metrics only. */
  async commit<Result>(work: () => Promise<Result>): Promise<Result> {
    const span = this.deps.tracer.startSpan(OWN_SPANS.commit, {}, this.context);
    try {
      return await work();
    } finally {
      span.end();
    }
  }

  /** Returns the headers for a host that is sent the trace: none if it is not on the list. */
  headersFor(hostname: string): Record<string, string> {
    return this.deps.options.mayReceiveTrace?.(hostname) ? injectInto(this.deps.api) : {};
  }

  /**
   * Returns the headers for a model's provider. The model call is the first of those that are open and have not been sent: of two that
   * begin in the same moment, either may get the other's.
   */
  headersForModel(): Record<string, string> {
    const { api } = this.deps;
    for (const open of this.open) {
      if (!(open instanceof ModelCallTelemetry) || open.isSent) continue;
      open.isSent = true;
      return injectInto(api, open.context);
    }
    return injectInto(api);
  }

  end({ outcome, error }: WorkEnd): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    for (const child of this.open) child.stop();
    const { span } = this;
    const { agent, isWorkflow } = this.work;
    span?.setAttribute(ATTRIBUTES.runOutcome, outcome);
    if (error) {
      span?.setAttribute(ATTRIBUTES.errorType, error.code);
      span?.setStatus({ code: this.deps.api.SpanStatusCode.ERROR, message: error.message });
    }
    span?.end();
    const { metrics } = this.deps;
    if (!metrics) return;
    const labels = { [ATTRIBUTES.agent]: agent };
    metrics.record('agentDuration', (performance.now() - this.startedAt) / 1000, {
      ...labels,
      [ATTRIBUTES.operation]: isWorkflow ? OPERATIONS.workflow : OPERATIONS.agent,
      ...(error && { [ATTRIBUTES.errorType]: error.code }),
    });
    metrics.record('agentModelCalls', this.modelCalls, labels);
    metrics.record('agentToolCalls', this.toolCalls, labels);
  }

  /** Returns the place of a new span, and how that says that it is over. */
  private place(): SpanPlace {
    return {
      parent: this.context,
      agent: this.work.agent,
      conversation: this.work.threadId,
      signal: this.work.signal,
      onEnd: (span) => this.open.delete(span),
    };
  }

  private keep<Child extends OpenSpan>(child: Child): Child {
    this.open.add(child);
    return child;
  }
}

/** The place of a span in its run. */
export interface SpanPlace {
  readonly parent: Context;
  readonly agent: string;
  readonly conversation: string;
  /** Aborted once the run is stopped: what fails then has not failed by itself. */
  readonly signal: AbortSignal;
  readonly onEnd: (span: OpenSpan) => void;
}

let runKey: symbol | undefined;

/** The key under which a context has its run. */
function ofRun(api: OtelApi): symbol {
  return (runKey ??= api.createContextKey('nestjs-agent-stream run'));
}

/** Returns the run whose agent works in this async context. */
export function findActiveRun(api: OtelApi): RunTelemetry | undefined {
  return api.context.active().getValue(ofRun(api)) as RunTelemetry | undefined;
}

function injectInto(api: OtelApi, context = api.context.active()): Record<string, string> {
  const headers: Record<string, string> = {};
  api.propagation.inject(context, headers);
  return headers;
}
