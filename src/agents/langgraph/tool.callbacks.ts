import { ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { isGraphInterrupt } from '@langchain/langgraph';
import { AppError, toPublicError } from '../../errors.js';
import type { ToolOutcome } from '../../events/run-event.js';
import type { ToolProgressUpdate } from '../../tools/agent-tool.js';
import type { OpenToolCall } from '../../tools/open-tool-call.js';
import type { ToolTrackingService } from '../../tools/tool-tracking.service.js';
import type { EnclosingCall } from './graph-fact.js';
import { parseNamespace, type ActiveRun } from './active-run.js';
import { getStepId, listSteps } from './named-steps.js';
import { showOutput, type ShownOutput } from './tool-output.js';

/**
 * Watches the tools that a graph brought along and calls by itself, and has them announced like our own. What goes in and out
 * of them stays hidden, but for those that the agent shows. Hears through {@link GraphCallbacks}.
 */
export class ToolCallbacks {
  private readonly open = new Map<string, OpenToolCall & { readonly isShown: boolean }>();
  /** By the id of a callback's run: the call that it is part of, as long as one is open. */
  private readonly callByRun = new Map<string, EnclosingCall>();
  /** Number of times that each call was made, by step: middleware may repeat a call that has failed. */
  private readonly tries = new Map<string, Map<string, number>>();

  /**
   * @param history ids of the messages of earlier turns, which a node may hand on among those of its own
   * @param shown the tools whose arguments and results people may see
   */
  constructor(
    private readonly tracking: ToolTrackingService,
    private readonly active: Pick<ActiveRun, 'run' | 'stepStarted'>,
    private readonly history: ReadonlySet<string | undefined>,
    private readonly shown: boolean | readonly string[] = false,
  ) {}

  handleToolStart(
    _tool: unknown,
    input: string,
    callId: string,
    _parent?: string,
    _tags?: string[],
    metadata: Record<string, unknown> = {},
    toolName = 'tool',
    toolCallId = callId,
  ): void {
    const { run, stepStarted } = this.active;
    const namespace = parseNamespace(metadata);
    const stepId = getStepId(namespace);
    stepStarted(namespace);
    const isShown = this.shows(toolName);
    const call = { toolCallId: this.nextTry(stepId, toolCallId), toolName, stepId, args: undefined };
    const open = this.tracking.begin(call, run, undefined, isShown ? readInput(input) : undefined);
    this.open.set(callId, { ...open, isShown });
    this.callByRun.set(callId, { toolCallId: open.toolCallId, toolName, stepId });
  }

  /** Returns the call that something is part of, by the callback runs of both. */
  enter(runId: string, parent: string | undefined): EnclosingCall | undefined {
    const call = parent === undefined ? undefined : this.callByRun.get(parent);
    if (call) this.callByRun.set(runId, call);
    return call;
  }

  leave(runId: string): void {
    this.callByRun.delete(runId);
  }

  /** True if people may see what goes on in the call. */
  isShown({ toolCallId }: EnclosingCall): boolean {
    return [...this.open.values()].some((open) => open.isShown && open.toolCallId === toolCallId);
  }

  /**
   * True if people may see the work at a place inside these calls. A tool that calls a model directly works in its own step, which is hidden; an
   * agent that it calls has steps inside that step, which are shown.
   */
  areShown(around: readonly EnclosingCall[], namespace: string): boolean {
    return around.every((call) => this.isShown(call) && call.stepId !== getStepId(namespace));
  }

  /** Notes that the step's output is superseded, including its calls. */
  stepFailed(stepId: string): void {
    this.tries.delete(stepId);
  }

  /** Returns the id of the call, which says which try it is after the first. */
  private nextTry(stepId: string, toolCallId: string): string {
    const tries = this.tries.get(stepId) ?? new Map<string, number>();
    this.tries.set(stepId, tries);
    const count = (tries.get(toolCallId) ?? 0) + 1;
    tries.set(toolCallId, count);
    return count === 1 ? toolCallId : `${toolCallId}.try-${count}`;
  }

  handleToolEvent(update: unknown, callId: string): void {
    this.open.get(callId)?.progress(update as ToolProgressUpdate);
  }

  handleToolEnd(output: unknown, callId: string): void | Promise<void> {
    const failed = ToolMessage.isInstance(output) && output.status === 'error';
    if (failed || !this.open.get(callId)?.isShown) return this.end(callId, failed ? 'error' : 'ok', {});
    const shown = showOutput(output, this.active.run.keepFile);
    return shown instanceof Promise
      ? shown.then((kept) => this.endShown(callId, kept))
      : this.endShown(callId, shown);
  }

  private endShown(callId: string, { output, files }: ShownOutput): void {
    for (const file of files) this.open.get(callId)?.give(file);
    this.end(callId, 'ok', { ...(output !== undefined && { output }) });
  }

  handleToolError(error: unknown, callId: string): void {
    // It has asked, and is called again with the answer: until then it is neither done nor failed.
    if (isGraphInterrupt(error)) {
      this.open.delete(callId);
      this.leave(callId);
      return;
    }
    const outcome = this.active.run.signal.aborted ? 'cancelled' : 'error';
    const isPublic = error instanceof AppError;
    this.end(callId, outcome, isPublic ? { error: toPublicError(error, TOOL_FAILED) } : {});
  }

  /**
   * Announces the calls that a tool node answered without making them: an unknown tool, arguments that do not fit.
   * LangGraph says nothing of these but the message to the model.
   */
  handleToolMessages(messages: readonly BaseMessage[], stepId: string, namespace: string): void {
    const { run } = this.active;
    // It makes no calls: what it answers itself is a call that only gives the answer its form.
    if (listSteps(namespace).at(-1)?.name === MODEL_NODE) return;
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
      const isShown = outcome === 'ok' && this.shows(call.toolName);
      this.tracking.begin(call, run).end(outcome, isShown ? { output: message.text } : {});
    }
  }

  private shows(toolName: string): boolean {
    return typeof this.shown === 'boolean' ? this.shown : this.shown.includes(toolName);
  }

  private end(callId: string, outcome: ToolOutcome, publicError: Parameters<OpenToolCall['end']>[1]): void {
    this.open.get(callId)?.end(outcome, publicError);
    this.open.delete(callId);
    this.leave(callId);
  }
}

/** The node of LangChain's `createAgent` that asks the model. */
const MODEL_NODE = 'model_request';

const TOOL_FAILED = { code: 'TOOL_FAILED', message: 'The tool failed.' } as const;

/** LangChain hands arguments over as JSON, and a tool of one string as that string. */
function readInput(input: string): unknown {
  try {
    return JSON.parse(input);
  } catch {
    return input;
  }
}

/** LangChain's tool nodes have no other sign of it than these words. */
function isUnknownTool({ content }: ToolMessage): boolean {
  return typeof content === 'string' && /is not a valid tool|not found/.test(content);
}
