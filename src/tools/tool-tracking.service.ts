import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AppError, toPublicError, type ErrorCode } from '../errors.js';
import type { PublicError, ToolOutcome } from '../events/run-event.js';
import { mayUse } from '../principal.js';
import type { Tool, ToolContext, ToolProgressUpdate, ToolRun } from './agent-tool.js';
import { expose } from './exposure.js';
import { executeTool } from './tool.execution.js';
import { ToolRegistry } from './tool.registry.js';

/** A call as the model made it. `args` is whatever the model wrote; nothing is known about it yet. */
export interface ToolCall {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly stepId: string;
  readonly args: unknown;
}

/** What the model is told: the tool's result, or in words what went wrong, so that it can try something else. */
export interface ToolAnswer {
  readonly outcome: ToolOutcome;
  readonly content: unknown;
}

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
  constructor(private readonly registry: ToolRegistry) {}

  /**
   * Makes a call, and tells the run about it. Never rejects while the run goes on: a failure is an answer to the model.
   *
   * @throws the reason of `run.signal` once that is aborted
   */
  async call(call: ToolCall, run: ToolRun): Promise<ToolAnswer> {
    const checked = await check(this.registry.get(call.toolName), call, run);
    if ('tool' in checked) return this.execute(checked, call, run);
    const { outcome, shown, told } = checked;
    this.begin(call, run).end(outcome, { error: shown });
    return { outcome, content: told };
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

  private async execute({ tool, input }: Callable, call: ToolCall, run: ToolRun): Promise<ToolAnswer> {
    const open = this.begin(call, run, labelOf(tool, input), expose(tool.expose?.input, input));
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
      });
      const output = expose(tool.expose?.output, result);
      open.end('ok', output === undefined ? {} : { output });
      return { outcome: 'ok', content: result };
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

/** A call that can be made. */
interface Callable {
  readonly tool: Tool;
  readonly input: Record<string, unknown>;
}

/** Why a call is not made at all. The model is told in full; people see a sentence that gives nothing away. */
interface Fault {
  readonly outcome: ToolOutcome;
  readonly told: string;
  readonly shown: PublicError;
}

async function check(tool: Tool | undefined, call: ToolCall, run: ToolRun): Promise<Callable | Fault> {
  if (!tool) {
    const sentence = `There is no tool '${nameOf(call)}'.`;
    return fault('unknown-tool', 'TOOL_UNKNOWN', sentence, `${sentence} Use one of those you were given.`);
  }
  if (!mayUse(run.principal, tool.roles)) {
    return fault('denied', 'TOOL_DENIED', `The tool '${tool.name}' is not available to you.`);
  }
  const parsed = await parse(tool, call.args);
  if ('misfit' in parsed) {
    const sentence = `The arguments for '${tool.name}' do not fit.`;
    return fault('invalid-input', 'TOOL_INPUT_INVALID', sentence, `${sentence}\n${parsed.misfit}`);
  }
  if (tool.sideEffect === 'once' && run.begunCalls.get(uniqueId(call, run)) === call.stepId) {
    const sentence = `'${tool.name}' was called before the run was interrupted, and must not be called twice.`;
    return fault(
      'error',
      'TOOL_INTERRUPTED',
      sentence,
      `${sentence} Find out whether it took effect before you go on.`,
    );
  }
  return { tool, input: parsed.input };
}

/** A schema may run the tool's own code, which may throw: then too the arguments are what does not fit. */
async function parse(
  { input }: Tool,
  args: unknown,
): Promise<Pick<Callable, 'input'> | { readonly misfit: string }> {
  try {
    const parsed = await input.safeParseAsync(args);
    return parsed.success ? { input: parsed.data } : { misfit: z.prettifyError(parsed.error) };
  } catch (error) {
    return { misfit: wordsOf(error) };
  }
}

function fault(outcome: ToolOutcome, code: ErrorCode, shown: string, told = shown): Fault {
  return { outcome, told, shown: { code, message: shown, retryable: false } };
}

function timedOut(tool: Tool, timeoutMs: number): AppError {
  return new AppError(
    'TOOL_TIMEOUT',
    `The tool '${tool.name}' did not answer within ${timeoutMs / 1000} seconds.`,
    {
      retryable: true,
    },
  );
}

/** Ids are unique per model only: an agent inside a tool may reuse them, and some models start over in each turn. */
function uniqueId({ toolCallId, stepId }: ToolCall, run: ToolRun): string {
  const owner = run.begunCalls.get(toolCallId);
  return owner === undefined || owner === stepId ? toolCallId : `${toolCallId}.${stepId}`;
}

/** The name is the model's own words, so it can be anything of any length. */
function nameOf({ toolName }: ToolCall): string {
  return toolName.slice(0, 64);
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

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
