import { ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { AppError, toPublicError } from '../../errors.js';
import type { ToolOutcome } from '../../events/run-event.js';
import type { ToolProgressUpdate } from '../../tools/agent-tool.js';
import type { OpenToolCall, ToolTrackingService } from '../../tools/tool-tracking.service.js';
import { namespaceOf, type ActiveRun } from './active-run.js';
import { stepIdOf } from './langgraph.mapper.js';

/**
 * Watches the tools that a graph brought along and calls by itself, and has them announced like our own. What goes in and out
 * of them stays hidden: nobody has said that it may be shown. Hears through {@link GraphCallbacks}.
 */
export class ToolCallbacks {
  private readonly open = new Map<string, OpenToolCall>();

  /** @param history ids of the messages of earlier turns, which a node may hand on among those of its own */
  constructor(
    private readonly tracking: ToolTrackingService,
    private readonly active: Pick<ActiveRun, 'run' | 'stepStarted'>,
    private readonly history: ReadonlySet<string | undefined>,
  ) {}

  handleToolStart(
    _tool: unknown,
    _input: string,
    callId: string,
    _parent?: string,
    _tags?: string[],
    metadata: Record<string, unknown> = {},
    toolName = 'tool',
    toolCallId = callId,
  ): void {
    const { run, stepStarted } = this.active;
    const namespace = namespaceOf(metadata);
    const stepId = stepIdOf(namespace);
    stepStarted(namespace);
    this.open.set(callId, this.tracking.begin({ toolCallId, toolName, stepId, args: undefined }, run));
  }

  handleToolEvent(update: unknown, callId: string): void {
    this.open.get(callId)?.progress(update as ToolProgressUpdate);
  }

  handleToolEnd(output: unknown, callId: string): void {
    this.end(callId, ToolMessage.isInstance(output) && output.status === 'error' ? 'error' : 'ok');
  }

  handleToolError(error: unknown, callId: string): void {
    this.end(callId, this.active.run.signal.aborted ? 'cancelled' : 'error', error);
  }

  /**
   * Announces the calls that a tool node answered without making them: an unknown tool, arguments that do not fit.
   * LangGraph says nothing of these but the message to the model.
   */
  answered(messages: readonly BaseMessage[], stepId: string): void {
    const { run } = this.active;
    for (const message of messages) {
      if (!ToolMessage.isInstance(message) || run.begunCalls.has(message.tool_call_id)) continue;
      if (message.id !== undefined && this.history.has(message.id)) continue;
      const call = {
        toolCallId: message.tool_call_id,
        toolName: message.name ?? 'tool',
        stepId,
        args: undefined,
      };
      const outcome =
        message.status !== 'error' ? 'ok' : isUnknownTool(message) ? 'unknown-tool' : 'invalid-input';
      this.tracking.begin(call, run).end(outcome);
    }
  }

  private end(callId: string, outcome: ToolOutcome, error?: unknown): void {
    const shown =
      error instanceof AppError && toPublicError(error, { code: 'TOOL_FAILED', message: 'The tool failed.' });
    this.open.get(callId)?.end(outcome, shown ? { error: shown } : {});
    this.open.delete(callId);
  }
}

/** LangChain's tool nodes have no other sign of it than these words. */
function isUnknownTool({ content }: ToolMessage): boolean {
  return typeof content === 'string' && /is not a valid tool|not found/.test(content);
}
