import type { Span } from '@opentelemetry/api';
import type { PublicError, ToolOutcome } from '../events/run-event.js';
import { ATTRIBUTES, OPERATIONS, OTHER } from './names.js';
import type { OpenSpan, SpanDeps, SpanPlace } from './run-telemetry.js';

/** A tool call as it is announced. */
export interface ToolCallStart {
  readonly toolCallId: string;
  readonly toolName: string;
  /** Absent for a tool that is not ours: one that a graph has brought along, or none at all. */
  readonly description?: string | undefined;
  /** Name of the MCP server that has the tool. */
  readonly mcpServer?: string | undefined;
  readonly args: unknown;
}

/** The errors of calls whose end names none. Outcomes that are no errors are not here. */
const ERRORS: Partial<Record<ToolOutcome, string>> = {
  error: 'TOOL_FAILED',
  timeout: 'TOOL_TIMEOUT',
  denied: 'TOOL_DENIED',
  'unknown-tool': 'TOOL_UNKNOWN',
  'invalid-input': 'TOOL_INPUT_INVALID',
};

/** A tool call under way. */
export class ToolCallTelemetry implements OpenSpan {
  private readonly startedAt = performance.now();
  private readonly span: Span;
  private readonly toolType: string;
  private hasEnded = false;

  constructor(
    private readonly deps: SpanDeps,
    private readonly start: ToolCallStart,
    private readonly place: SpanPlace,
  ) {
    const { api, tracer, options } = deps;
    const { toolCallId, toolName, description, mcpServer, args } = start;
    this.toolType = mcpServer === undefined ? 'function' : 'extension';
    this.span = tracer.startSpan(
      `${OPERATIONS.tool} ${toolName}`,
      {
        kind: api.SpanKind.INTERNAL,
        attributes: {
          [ATTRIBUTES.operation]: OPERATIONS.tool,
          [ATTRIBUTES.toolName]: toolName,
          [ATTRIBUTES.toolCallId]: toolCallId,
          [ATTRIBUTES.toolType]: this.toolType,
          [ATTRIBUTES.conversation]: place.conversation,
          ...(description !== undefined && { [ATTRIBUTES.toolDescription]: description }),
          ...(mcpServer !== undefined && {
            [ATTRIBUTES.mcpMethod]: 'tools/call',
            [ATTRIBUTES.mcpServer]: mcpServer,
          }),
        },
      },
      place.parent,
    );
    if (options.content && args !== undefined && this.span.isRecording())
      this.span.setAttribute(ATTRIBUTES.toolArguments, toText(args));
  }

  /** Makes the call as part of this trace. */
  within<Result>(call: () => Result): Result {
    const { api } = this.deps;
    const active = api.context.active();
    return api.context.with(api.trace.setSpan(active, this.span), call);
  }

  /** Puts the result onto the span where content is wanted there. */
  show(result: unknown): void {
    if (this.deps.options.content && this.span.isRecording())
      this.span.setAttribute(ATTRIBUTES.toolResult, toText(result));
  }

  end(outcome: ToolOutcome, error?: PublicError): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    const errorType = ERRORS[outcome] === undefined ? undefined : (error?.code ?? ERRORS[outcome]);
    this.span.setAttribute(ATTRIBUTES.toolOutcome, outcome);
    if (errorType !== undefined) {
      this.span.setAttribute(ATTRIBUTES.errorType, errorType);
      this.span.setStatus({ code: this.deps.api.SpanStatusCode.ERROR });
    }
    this.span.end();
    this.place.onEnd(this);
    this.deps.metrics?.record('toolDuration', (performance.now() - this.startedAt) / 1000, {
      [ATTRIBUTES.operation]: OPERATIONS.tool,
      // A model can make up any name.
      [ATTRIBUTES.toolName]: outcome === 'unknown-tool' ? OTHER : this.start.toolName,
      [ATTRIBUTES.toolType]: this.toolType,
      [ATTRIBUTES.agent]: this.place.agent,
      ...(errorType !== undefined && { [ATTRIBUTES.errorType]: errorType }),
    });
  }

  stop(): void {
    this.end('cancelled');
  }
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
