import type { z } from 'zod';
import type { GivenAnswer } from '../events/approval.js';
import type { Emit } from '../events/emit.js';
import type { Principal } from '../principal.js';
import type { ApprovalOptions } from './approval.policy.js';
import type { Exposure } from './exposure.js';

/** What a tool's author says about it. Given to `@AgentTool` on a provider's method. */
export interface ToolOptions<Input extends z.ZodObject = z.ZodObject> {
  /** What the model calls it by: letters, digits, `_` and `-`, at most 64. Unique in the application. */
  readonly name: string;
  /** What people read while it runs: "Searching the web…". A function sees the validated input, and what it returns is shown. */
  readonly label: string | ((input: z.output<Input>) => string);
  /** Tells the model when and how to use it. */
  readonly description: string;
  /** The shape of the arguments. What does not fit never reaches the method; the model is told what was wrong. */
  readonly input: Input;
  /** What of input and output may leave the server. Default: nothing. A log is replayed for ever. */
  readonly expose?: Exposure<z.output<Input>>;
  /** Milliseconds until the call's signal is aborted and the call ends with `timeout`. Default 60,000. */
  readonly timeoutMs?: number;
  /** Principals with one of these roles see and may call it. Default: everybody. */
  readonly roles?: readonly string[];
  /**
   * What a second call with the same arguments does, for the case that a process dies in the middle of a call:
   * `none` (reads only; default) and `idempotent` (it honours `context.idempotencyKey`) are called again;
   * `once` is not: the call ends in an error instead of a second try.
   */
  readonly sideEffect?: 'none' | 'idempotent' | 'once';
  /**
   * True, or which calls: these wait until the person who asked approves, edits or denies them. The run ends `awaiting-approval`,
   * and the answer starts one that goes on. Default: no call waits, unless the module's `approvals` names the tool.
   */
  readonly approval?: boolean | ApprovalOptions<Input>;
}

/** A tool, ready to be called. `execute` may return a value, a promise, or an async generator that yields its progress. */
export interface Tool<Input extends z.ZodObject = z.ZodObject> extends ToolOptions<Input> {
  execute(input: z.output<Input>, context: ToolContext): ToolExecution;
}

// oxlint-disable-next-line typescript/no-redundant-type-constituents -- says to people what the compiler cannot check
export type ToolExecution = unknown | Promise<unknown> | AsyncGenerator<ToolProgressUpdate, unknown, void>;

/** What a running call knows and can do. */
export interface ToolContext {
  readonly runId: string;
  readonly threadId: string;
  readonly toolCallId: string;
  readonly principal: Principal;
  /** Aborted on cancel, timeout, loss of ownership and shutdown. Every wait should take it. */
  readonly signal: AbortSignal;
  /** `runId:stepId:toolCallId`: the same in every attempt at this call. */
  readonly idempotencyKey: string;
  /** Who approved the call, where somebody had to: a user id. */
  readonly approvedBy?: string;
  /** Tells the people who wait how far it is. Shown as it is: put nothing in it that they may not see. */
  progress(update: ToolProgressUpdate): void;
}

/** `fraction` is 0 to 1. A bare string is a message. */
export type ToolProgressUpdate =
  string | { readonly message?: string; readonly fraction?: number; readonly data?: unknown };

/** The run that a tool call belongs to, as far as tools need to know it. */
export interface ToolRun {
  readonly runId: string;
  readonly threadId: string;
  readonly messageId: string;
  readonly principal: Principal;
  readonly signal: AbortSignal;
  readonly emit: Emit;
  /** The calls that have begun in this run, by whichever owner: tool call id to step id. Grows with each `tool-start`. */
  readonly begunCalls: ReadonlyMap<string, string>;
  /** What people have decided on the calls that the run before this one stopped for, by approval id. */
  readonly decisions: ReadonlyMap<string, GivenAnswer>;
  /** Resolves when everything emitted so far is durable, or when the run has another owner: then `signal` is aborted. */
  recorded(): Promise<void>;
}
