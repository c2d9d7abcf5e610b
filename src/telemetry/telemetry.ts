import type { Context, Link, Span, Tracer } from '@opentelemetry/api';
import { CommitWatch } from './commit-watch.js';
import { watchEventLoop } from './event-loop-delay.js';
import { Metrics } from './metrics.js';
import { ModelCallTelemetry } from './model-call.telemetry.js';
import { ATTRIBUTES, OPERATIONS, OWN_SPANS, SCOPE } from './names.js';
import type { OtelApi } from './otel.js';
import { RunTelemetry } from './run-telemetry.js';
import type { TelemetryOptions } from './telemetry.options.js';
import { formatTraceparent, parseTraceparent } from './traceparent.js';

/** The facts of a run that its trace needs. */
export interface TracedRun {
  readonly id: string;
  readonly threadId: string;
  readonly agent: string;
  readonly traceparent?: string;
}

/** The start of a run, while it is being stored. */
export interface RunStart {
  /** The place in a trace that the run's owners continue, to be stored with it. */
  readonly traceparent: string;
  /** Says that it was stored. A start that is never confirmed leaves no span. */
  confirm(): void;
}

/** The facts of an owner's work on a run. */
export interface TracedWork extends TracedRun {
  /** True for a graph of fixed steps, false for an agent that decides itself. */
  readonly isWorkflow: boolean;
  /** The way in which the run came to its owner: `start`, or the reason for a new one. */
  readonly acquisition: string;
  readonly signal: AbortSignal;
}

/** Options with their dependencies resolved. */
export interface ResolvedTelemetryOptions extends Omit<TelemetryOptions, 'propagateTo'> {
  /** True if the host, as `URL` writes it, may be sent the trace it is called in. Default: none. */
  readonly mayReceiveTrace?: (hostname: string) => boolean;
}

/**
 * Traces and metrics of one module instance, by the OpenTelemetry SDK that the host has registered before. Without the API's package
 * everything is off; without an SDK a run costs one span that does nothing.
 */
export class Telemetry {
  /** Undefined if metrics are off. */
  readonly metrics: Metrics | undefined;
  /** Undefined if metrics are off. */
  readonly commits: CommitWatch | undefined;
  private readonly tracer: Tracer | undefined;
  private readonly stopWatching: (() => void) | undefined;

  /** @param api undefined: everything is off */
  constructor(
    private readonly api?: OtelApi,
    private readonly options: ResolvedTelemetryOptions = {},
  ) {
    this.tracer = api?.trace.getTracer(SCOPE);
    this.metrics = api && Metrics.with(api);
    this.commits = this.metrics && new CommitWatch(this.metrics);
    this.stopWatching = this.metrics && watchEventLoop(this.metrics);
  }

  /**
   * Begins the trace of a new run, linked to the request that asks for it; or a further part of a trace, for a run that continues another.
   * Undefined if traces are off.
   *
   * @param continues the stored traceparent of the run that this one continues
   */
  startRun(
    { id, threadId, agent }: TracedRun,
    continues?: { readonly id: string; readonly traceparent?: string },
  ): RunStart | undefined {
    const { api, tracer } = this;
    if (!api || !tracer) return undefined;
    const parent = toParent(api, continues?.traceparent);
    const asking = api.trace.getSpanContext(api.context.active());
    const links: Link[] = asking && api.isSpanContextValid(asking) ? [{ context: asking }] : [];
    const attributes = {
      [ATTRIBUTES.agent]: agent,
      [ATTRIBUTES.conversation]: threadId,
      [ATTRIBUTES.runId]: id,
      ...(continues && { [ATTRIBUTES.continuedRunId]: continues.id }),
    };
    const span = tracer.startSpan(
      `${OWN_SPANS.start} ${agent}`,
      { kind: api.SpanKind.PRODUCER, attributes, links },
      parent,
    );
    const place = span.spanContext();
    if (!api.isSpanContextValid(place)) return undefined;
    return { traceparent: formatTraceparent(place), confirm: () => span.end() };
  }

  /** Begins an owner's span in the trace of its run. Undefined if traces and metrics are off. */
  beginWork(work: TracedWork): RunTelemetry | undefined {
    const { api, tracer, metrics, options } = this;
    if (!api || !tracer) return undefined;
    const parent = toParent(api, work.traceparent);
    const span = tracer.startSpan(...describeWork(work), parent);
    if (!metrics && !isAlive(api, span)) return undefined;
    return new RunTelemetry({ api, tracer, metrics, options }, work, api.trace.setSpan(parent, span));
  }

  /** Measures model calls that belong to the trace of a run, and not to its work. Undefined if traces and metrics are off. */
  measureBeside(
    { threadId, agent, traceparent }: Omit<TracedRun, 'id'>,
    signal: AbortSignal,
  ): Pick<RunTelemetry, 'beginModelCall'> | undefined {
    const { api, tracer, metrics, options } = this;
    if (!api || !tracer) return undefined;
    const place = {
      parent: toParent(api, traceparent),
      agent,
      conversation: threadId,
      signal,
      onEnd: () => undefined,
    };
    return {
      beginModelCall: (start) => new ModelCallTelemetry({ api, tracer, metrics, options }, start, place),
    };
  }

  /** Reads nothing of this process any more. */
  close(): void {
    this.stopWatching?.();
    this.metrics?.close();
  }
}

/** Returns the context in which spans continue a stored place in a trace, or begin one. */
function toParent(api: OtelApi, traceparent: string | undefined): Context {
  const place = parseTraceparent(traceparent);
  return place ? api.trace.setSpanContext(api.ROOT_CONTEXT, place) : api.ROOT_CONTEXT;
}

function describeWork({ id, threadId, agent, isWorkflow, acquisition }: TracedWork) {
  const operation = isWorkflow ? OPERATIONS.workflow : OPERATIONS.agent;
  const attributes = {
    [ATTRIBUTES.operation]: operation,
    [ATTRIBUTES.agent]: agent,
    [ATTRIBUTES.conversation]: threadId,
    [ATTRIBUTES.runId]: id,
    [ATTRIBUTES.acquisition]: acquisition,
  };
  return [`${operation} ${agent}`, { attributes }] as const;
}

function isAlive(api: OtelApi, span: Span): boolean {
  return api.isSpanContextValid(span.spanContext());
}
