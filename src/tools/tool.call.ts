import { z } from 'zod';
import type { ErrorCode } from '../errors.js';
import type { GivenAnswer } from '../events/approval.js';
import type { PublicError, ToolOutcome } from '../events/run-event.js';
import { mayUse } from '../principal.js';
import type { Tool, ToolRun } from './agent-tool.js';

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
  readonly decided: GivenAnswer | undefined;
}

/** A call that can be made. */
export interface Callable {
  readonly tool: Tool;
  readonly input: Record<string, unknown>;
}

/** Why a call is not made at all. The model is told in full; people see a sentence that gives nothing away. */
export interface Fault {
  readonly outcome: ToolOutcome;
  readonly told: string;
  readonly shown: PublicError;
}

/** Finds out whether a call can be made; it is the model that makes it up, so everything may be wrong with it. */
export async function checkCall(
  tool: Tool | undefined,
  { call, run, decided }: Attempt,
): Promise<Callable | Fault> {
  if (!tool) {
    const sentence = `There is no tool '${nameOf(call)}'.`;
    return fault('unknown-tool', 'TOOL_UNKNOWN', sentence, `${sentence} Use one of those you were given.`);
  }
  if (!mayUse(run.principal, tool.roles)) {
    return fault('denied', 'TOOL_DENIED', `The tool '${tool.name}' is not available to you.`);
  }
  const parsed = await parseInput(tool, decided?.decision === 'edit' ? decided.input : call.args);
  if ('misfit' in parsed) {
    const sentence = `The arguments for '${tool.name}' do not fit.`;
    return fault('invalid-input', 'TOOL_INPUT_INVALID', sentence, `${sentence}\n${parsed.misfit}`);
  }
  if (tool.sideEffect === 'once' && run.begunCalls.get(uniqueId(call, run)) === call.stepId) {
    const sentence = `'${tool.name}' was called before the run was interrupted, and must not be called twice.`;
    const told = `${sentence} Find out whether it took effect before you go on.`;
    return fault('error', 'TOOL_INTERRUPTED', sentence, told);
  }
  return { tool, input: parsed.input };
}

/** A person has said no. */
export function denied({ name }: Tool, { reason }: GivenAnswer): Fault {
  const sentence = `The call of '${name}' was not approved.`;
  return fault('denied', 'TOOL_DENIED', sentence, reason ? `${sentence} ${reason}` : sentence);
}

/** The call has to wait for a person, and stands where a run cannot stop. */
export function unaskable({ name }: Tool): Fault {
  const sentence = `The tool '${name}' needs an approval, which cannot be asked for inside another tool.`;
  return fault('denied', 'TOOL_DENIED', sentence);
}

/** Ids are unique per model only: an agent inside a tool may reuse them, and some models start over in each turn. */
export function uniqueId({ toolCallId, stepId }: ToolCall, run: ToolRun): string {
  const owner = run.begunCalls.get(toolCallId);
  return owner === undefined || owner === stepId ? toolCallId : `${toolCallId}.${stepId}`;
}

/** The name is the model's own words, so it can be anything of any length. */
export function nameOf({ toolName }: ToolCall): string {
  return toolName.slice(0, 64);
}

/** What a failure says of itself, for the model. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The arguments as the tool takes them. A schema may run the tool's own code, which may throw: then too the arguments are what does not fit. */
export async function parseInput(
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
