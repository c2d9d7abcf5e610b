import { Injectable } from '@nestjs/common';
import { AppError, toPublicError } from '../errors.js';
import type { PublicError, ToolOutcome } from '../events/run-event.js';
import type { Tool, ToolContext, ToolProgressUpdate, ToolRun } from './agent-tool.js';
import { approvalIdOf, ApprovalPolicy, type Question } from './approval.policy.js';
import { expose } from './exposure.js';
import {
  checkCall,
  denied,
  nameOf,
  unaskable,
  uniqueId,
  wordsOf,
  type Attempt,
  type Callable,
  type Fault,
  type ToolCall,
} from './tool.call.js';
import { executeTool } from './tool.execution.js';
import { ToolRegistry } from './tool.registry.js';

/**
 * What the model is told: the tool's result, or in words what went wrong, so that it can try something else. Or nothing yet: the run
 * has to stop here, until a person has decided.
 */
export type ToolAnswer =
  | { readonly outcome: ToolOutcome; readonly content: unknown }
  | { readonly outcome: 'awaiting-approval'; readonly approvalId: string };

/** A call that has been announced and is still open. The first `end` counts; what comes after it changes nothing. */
export interface OpenToolCall {
  readonly toolCallId: string;
  progress: ToolContext['progress'];
  end(outcome: ToolOutcome, shown?: { readonly output?: unknown; readonly error?: PublicError }): void;
}

const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * Stands between a model and its tools. Every call that a model makes is announced with `tool-start` and concluded with
 * `tool-end`, whatever becomes of it: a result, an exception, arguments that do not fit, a tool that does not exist or is
 * not for this principal, silence, a cancelled run. People see how it went and for how long; what was in it they see as far as
 * the tool allows.
 */
@Injectable()
export class ToolTrackingService {
  constructor(
    private readonly registry: ToolRegistry,
    private readonly approvals: ApprovalPolicy = new ApprovalPolicy(),
  ) {}

  /**
   * Makes a call, and tells the run about it; or asks a person first, and makes it in the run that goes on with the answer.
   * Never rejects while the run goes on: a failure is an answer to the model.
   *
   * @throws the reason of `run.signal` once that is aborted
   */
  async call(call: ToolCall, run: ToolRun): Promise<ToolAnswer> {
    const decided = run.decisions.get(approvalIdOf(call));
    const checked = await checkCall(this.registry.get(call.toolName), { call, run, decided });
    if (!('tool' in checked)) return this.refuse(checked, call, run);

    const { tool, input } = checked;
    const label = labelOf(tool, input);
    if (decided?.decision === 'deny') return this.refuse(denied(tool, decided), call, run, label);
    const question = decided ? undefined : this.approvals.questionFor(tool, input, run.principal);
    if (!question) return this.execute({ ...checked, label }, { call, run, decided });
    if (call.nested) return this.refuse(unaskable(tool), call, run, label);
    return this.ask({ ...question, toolName: tool.name, label }, call, run);
  }

  /** Announces a call that somebody else makes, such as a node of a team's own graph; the caller says how it ends. */
  begin(call: ToolCall, run: ToolRun, label = `Using ${nameOf(call)}…`, input?: unknown): OpenToolCall {
    const toolCallId = uniqueId(call, run);
    const startedAt = Date.now();
    let open = true;

    const announcement = {
      toolCallId,
      toolName: nameOf(call),
      stepId: call.stepId,
      messageId: run.messageId,
      label,
    };
    void run.emit({ type: 'tool-start', ...announcement, ...(input !== undefined && { input }) });

    return {
      toolCallId,
      progress: (update) => {
        if (open) void run.emit({ type: 'tool-progress', toolCallId, ...progressOf(update) });
      },
      end: (outcome, shown = {}) => {
        if (!open) return;
        open = false;
        const durationMs = Date.now() - startedAt;
        void run.emit({ type: 'tool-end', toolCallId, outcome, ...shown, durationMs });
      },
    };
  }

  private refuse({ outcome, shown, told }: Fault, call: ToolCall, run: ToolRun, label?: string): ToolAnswer {
    this.begin(call, run, label).end(outcome, { error: shown });
    return { outcome, content: told };
  }

  /** The call is not announced as begun: whether it ever is, a person decides. */
  private ask(
    asked: Question & { readonly toolName: string; readonly label: string },
    call: ToolCall,
    run: ToolRun,
  ): ToolAnswer {
    const approvalId = approvalIdOf(call);
    const toolCallId = uniqueId(call, run);
    void run.emit({ type: 'approval-request', approvalId, toolCallId, stepId: call.stepId, ...asked });
    return { outcome: 'awaiting-approval', approvalId };
  }

  private async execute(
    { tool, input, label }: Callable & { readonly label: string },
    { call, run, decided }: Attempt,
  ): Promise<ToolAnswer> {
    const open = this.begin(call, run, label, expose(tool.expose?.input, input));
    const timeoutMs = tool.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(timedOut(tool, timeoutMs)), timeoutMs);

    try {
      // A process that dies during the call has to leave word of it; else the next owner would make it again.
      if (tool.sideEffect === 'once') await run.recorded();
      run.signal.throwIfAborted();
      const result = await executeTool(tool, input, {
        runId: run.runId,
        threadId: run.threadId,
        toolCallId: open.toolCallId,
        principal: run.principal,
        signal: AbortSignal.any([run.signal, timeout.signal]),
        idempotencyKey: `${run.runId}:${call.stepId}:${call.toolCallId}`,
        progress: open.progress,
        ...(decided && { approvedBy: decided.by }),
      });
      const output = expose(tool.expose?.output, result);
      open.end('ok', output === undefined ? {} : { output });
      return { outcome: 'ok', content: decided?.decision === 'edit' ? withEdit(input, result) : result };
    } catch (error) {
      if (run.signal.aborted) {
        open.end('cancelled');
        throw run.signal.reason;
      }
      const outcome = timeout.signal.aborted ? 'timeout' : 'error';
      open.end(outcome, {
        error: toPublicError(error, { code: 'TOOL_FAILED', message: 'The tool failed.' }),
      });
      return { outcome, content: `The tool '${tool.name}' failed: ${wordsOf(error)}` };
    } finally {
      clearTimeout(timer);
    }
  }
}

function timedOut({ name }: Tool, timeoutMs: number): AppError {
  const seconds = timeoutMs / 1000;
  return new AppError('TOOL_TIMEOUT', `The tool '${name}' did not answer within ${seconds} seconds.`, {
    retryable: true,
  });
}

/** A model that is not told would take the result for one of its own arguments. */
function withEdit(input: Record<string, unknown>, result: unknown): unknown {
  return { note: 'A person changed the arguments before the call.', arguments: input, result };
}

/** Field by field: what tools yield may come from anywhere, and must not become another event. */
function progressOf(update: unknown): Exclude<ToolProgressUpdate, string> {
  if (typeof update !== 'object' || update === null) return { message: String(update) };
  const { message, fraction, data } = update as Readonly<Record<string, unknown>>;
  return {
    ...(typeof message === 'string' && { message }),
    ...(typeof fraction === 'number' && { fraction }),
    ...(data !== undefined && { data }),
  };
}

/** A label is shown while the tool runs; a tool whose label cannot be made still runs. */
function labelOf({ label, name }: Tool, input: Record<string, unknown>): string {
  if (typeof label === 'string') return label;
  try {
    return label(input);
  } catch {
    return `Using ${name}…`;
  }
}
