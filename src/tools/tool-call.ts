import { z } from 'zod';
import type { AppError, ErrorCode } from '../errors.js';
import type { RecordedDecision } from '../events/requested-input.js';
import type { PublicError, ToolOutcome } from '../events/run-event.js';
import { mayUse } from '../principal.js';
import type { Tool, ToolRun } from './agent-tool.js';
import { toMismatch, type SchemaMismatch } from './compute/fit-schema.js';
import { toolCaller } from './tool-caller.js';
import { ToolError } from './tool.error.js';

/** A call as the model made it. `args` is whatever the model wrote; nothing is known about it yet. */
export interface ToolCall {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly stepId: string;
  readonly args: unknown;
  /** Made while another tool is at work, which cannot be stopped to ask anybody. */
  readonly nested?: boolean;
}

/** A call in its run, with what a person has said to it, where one was asked. */
export interface Attempt {
  readonly call: ToolCall;
  readonly run: ToolRun;
  readonly decision: RecordedDecision | undefined;
}

/** A call that can be made. */
export interface Callable {
  readonly tool: Tool;
  readonly input: Record<string, unknown>;
}

/** A call that is not made, with the reason. The model is told in full; people see a sentence that gives nothing away. */
export interface Rejection {
  readonly outcome: Exclude<ToolOutcome, 'awaiting-input'>;
  readonly modelMessage: string;
  readonly publicError: PublicError;
}

/** Finds out whether a call can be made; it is the model that makes it up, so everything may be wrong with it. */
export async function checkCall(
  tool: Tool | undefined,
  { call, run, decision }: Attempt,
): Promise<Callable | Rejection> {
  if (!tool) {
    const sentence = `There is no tool '${getToolName(call)}'.`;
    return reject('unknown-tool', 'TOOL_UNKNOWN', sentence, `${sentence} Use one of those you were given.`);
  }
  if (!mayUse(run.principal, tool.roles)) {
    return reject('denied', 'TOOL_DENIED', `The tool '${tool.name}' is not available to you.`);
  }
  const args = decision?.decision === 'edit' ? decision.input : call.args;
  const parsed = await untilAborted(
    toolCaller.run(run, () => parseInput(tool, args)),
    run.signal,
  );
  if ('validationError' in parsed) {
    const sentence = `The arguments for '${tool.name}' do not fit.`;
    return reject('invalid-input', 'TOOL_INPUT_INVALID', sentence, `${sentence}\n${parsed.validationError}`);
  }
  if (tool.sideEffect === 'once' && hasBegun(call, run)) {
    const sentence = `'${tool.name}' was called before the run was interrupted, and must not be called twice.`;
    const modelMessage = `${sentence} Find out whether it took effect before you go on.`;
    return reject('error', 'TOOL_INTERRUPTED', sentence, modelMessage);
  }
  return { tool, input: parsed.input };
}

/** True if the call has begun in this step before, or in a run that this one goes on after. */
function hasBegun(call: ToolCall, run: ToolRun): boolean {
  if (run.begunBefore?.has(call.toolCallId)) return true;
  return run.begunCalls.get(toUniqueId(call, run)) === call.stepId;
}

/** A person has said no. */
export function rejectDenied({ name }: Tool, answer: RecordedDecision): Rejection {
  const reason = answer.decision === 'answer' ? undefined : answer.reason;
  const sentence = `The call of '${name}' was not approved.`;
  return reject('denied', 'TOOL_DENIED', sentence, reason ? `${sentence} ${reason}` : sentence);
}

/** The client has not made the call. */
export function rejectUnmade({ name }: Tool, answer: RecordedDecision): Rejection {
  const reason = answer.decision === 'deny' ? answer.reason : undefined;
  const sentence = `The client did not make the call of '${name}'.`;
  return reject('denied', 'TOOL_DENIED', sentence, reason ? `${sentence} ${reason}` : sentence);
}

/** The client has to make the call, and it stands where a run cannot stop to wait for that. */
export function clientUnavailable({ name }: Tool): Rejection {
  return reject('denied', 'TOOL_DENIED', `The client's tool '${name}' cannot be called inside another tool.`);
}

/** The call has to wait for a person, and stands where a run cannot stop. */
export function approvalUnavailable({ name }: Tool): Rejection {
  const sentence = `The tool '${name}' needs an approval, which cannot be asked for inside another tool.`;
  return reject('denied', 'TOOL_DENIED', sentence);
}

/** An operator has switched the tool off. */
export function rejectSwitchedOff({ message }: AppError): Rejection {
  return reject('denied', 'TOOL_DENIED', message);
}

/** The run is tainted, and the module allows no such call then. */
export function rejectTainted({ name }: Tool, why: string): Rejection {
  return reject('denied', 'TOOL_DENIED', `The call of '${name}' is not allowed here. ${why}`);
}

/** Ids are unique per model only: an agent inside a tool may reuse them, and some models start over in each turn. */
export function toUniqueId({ toolCallId, stepId }: ToolCall, run: ToolRun): string {
  const owner = run.begunCalls.get(toolCallId);
  return owner === undefined || owner === stepId ? toolCallId : `${toolCallId}.${stepId}`;
}

/** The name is the model's own words, so it can be anything of any length. */
export function getToolName({ toolName }: ToolCall): string {
  return toolName.slice(0, 64);
}

/** Returns the message of an error, for the model. */
export function errorMessage(error: unknown): string {
  if (error instanceof ToolError) return error.modelMessage;
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    // Anything can be thrown, and some of it cannot be read.
    return 'It does not say why.';
  }
}

/** A schema may be checked elsewhere, where its turn may not come soon. */
async function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The reason why arguments do not fit their tool, in words and by place. */
interface Misfit {
  readonly validationError: string;
  readonly misfits: readonly SchemaMismatch[];
}

/** More than these help no one. */
const MOST_MISFITS = 20;

/** The arguments as the tool takes them. A schema may run the tool's own code, which may throw: then too the arguments are what does not fit. */
export async function parseInput({ input }: Tool, args: unknown): Promise<Pick<Callable, 'input'> | Misfit> {
  try {
    const parsed = await input.safeParseAsync(args);
    if (parsed.success) return { input: parsed.data };
    const { error } = parsed;
    return {
      validationError: z.prettifyError(error),
      misfits: error.issues.slice(0, MOST_MISFITS).map(toMismatch),
    };
  } catch (error) {
    return { validationError: errorMessage(error), misfits: [] };
  }
}

function reject(
  outcome: Rejection['outcome'],
  code: ErrorCode,
  publicMessage: string,
  modelMessage = publicMessage,
): Rejection {
  return { outcome, modelMessage, publicError: { code, message: publicMessage, retryable: false } };
}
