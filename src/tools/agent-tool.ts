import type { z } from 'zod';
import type { AnsweredInput } from '../events/requested-input.js';
import type { Emit } from '../events/emit.js';
import type { KeepFile, ReadFile } from '../events/message-part.js';
import type { Principal } from '../principal.js';
import type { RunTelemetry } from '../telemetry/run-telemetry.js';
import type { ApprovalOptions } from './approval.policy.js';
import type { QuestionAnswer, ToolQuestion } from './call-questions.js';
import type { ClientTools } from './client-tool.js';
import type { Exposure } from './exposure.js';

/** Options of a tool, from its author. Given to `@AgentTool` on a provider's method. */
export interface ToolOptions<Input extends z.ZodObject = z.ZodObject> {
  /** The tool's name for the model: letters, digits, `_` and `-`, at most 64. Unique in the application. */
  readonly name: string;
  /** The label that people read while it runs: "Searching the web…". A function sees the validated input, and what it returns is shown. */
  readonly label: string | ((input: z.output<Input>) => string);
  /** Tells the model when and how to use it. */
  readonly description: string;
  /** The shape of the arguments. What does not fit never reaches the method; the model is told what was wrong. */
  readonly input: Input;
  /** The parts of input and output that may leave the server. Default: nothing. A log is replayed for ever. */
  readonly expose?: Exposure<z.output<Input>>;
  /** Milliseconds until the call's signal is aborted and the call ends with `timeout`. Default 60,000. */
  readonly timeoutMs?: number;
  /** Principals with one of these roles see and may call it. Default: everybody. */
  readonly roles?: readonly string[];
  /**
   * The effect of a second call with the same arguments, which matters if a process dies during a call. `none` (reads only; default)
   * and `idempotent` (it honours `context.idempotencyKey`) are called again; `once` is not: the call ends in an error.
   */
  readonly sideEffect?: 'none' | 'idempotent' | 'once';
  /**
   * True, or which calls: these wait until the person who asked approves, edits or denies them. The run ends `awaiting-input`,
   * and the answer starts one that goes on. Default: no call waits, unless the module's `approvals` names the tool.
   */
  readonly approval?: boolean | ApprovalOptions<Input>;
  /**
   * The authors of its results: `foreign` if strangers may have written them, else `own`. `foreign`: those of strangers (a web page,
   * a mail), so a run that has read them is tainted. Default `own`, unless the module's `tainted.foreignTools` names the tool.
   */
  readonly reads?: 'foreign' | 'own';
  /**
   * Tells if a call changes something outside the conversation (`outside`) or not (`none`). In a tainted run such a call waits for a
   * person. Default `outside` for a tool with a `sideEffect`, else `none`.
   */
  readonly effects?: 'outside' | 'none';
  /** Returns the hosts that a call sends data to, as `URL` writes them. In a tainted run, others than those that were named wait for a person. */
  readonly sendsTo?: (input: z.output<Input>) => readonly string[];
}

/** A tool, ready to be called. `execute` may return a value, a promise, or an async generator that yields its progress. */
export interface Tool<Input extends z.ZodObject = z.ZodObject> extends ToolOptions<Input> {
  /** JSON Schema of the arguments, as the model is shown it. Default: what `input` says. */
  readonly inputSchema?: Readonly<Record<string, unknown>>;
  /** Name of the MCP server that has it. */
  readonly mcpServer?: string;
  execute(input: z.output<Input>, context: ToolContext): ToolExecution;
}

// oxlint-disable-next-line typescript/no-redundant-type-constituents -- says to people what the compiler cannot check
export type ToolExecution = unknown | Promise<unknown> | AsyncGenerator<ToolProgressUpdate, unknown, void>;

/** The facts and functions that a running call has. */
export interface ToolContext {
  readonly runId: string;
  /** The conversation's id, chosen by its owner. Another principal may use the same id: what a tool keeps, it keeps by both. */
  readonly threadId: string;
  readonly toolCallId: string;
  readonly principal: Principal;
  /** Aborted on cancel, timeout, loss of ownership and shutdown. Every wait should take it. */
  readonly signal: AbortSignal;
  /** `runId:stepId:toolCallId`: the same in every attempt at this call. */
  readonly idempotencyKey: string;
  /** User id of the person who approved the call, if that was needed. */
  readonly approvedBy?: string;
  /**
   * True if the call may send data to this host, as `URL` writes it, without asking anybody: no text of strangers was read before, or
   * the host was named. For hosts that only the call itself finds out, such as where a page redirects to.
   */
  mayReach(host: string): Promise<boolean>;
  /**
   * Asks the person, in the middle of the call. Without an answer the call ends here, and `signal` is aborted; it is made again from its
   * beginning once there is an answer, and the same question, in the same place, then gets it at once. So ask before you change anything.
   */
  ask(question: ToolQuestion): Promise<QuestionAnswer>;
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
  /** The calls that earlier runs of the thread have begun, by tool call id, where the run may make them again. Default: none. */
  readonly begunBefore?: ReadonlySet<string>;
  /** Decisions on the calls that the run before this one stopped for, by approval id. */
  readonly decisions: ReadonlyMap<string, AnsweredInput>;
  /** Tools that the front end runs. Default: none. */
  readonly clientTools?: ClientTools;
  /** The authors of the text in the conversation. */
  readonly sources: ConversationSources;
  /** Stores the files that the run makes. Absent: files are not stored, and the log names them as missing. */
  readonly keepFile?: KeepFile;
  /** Reads a file of the person who asked: one of a message, or one that a run has made. Absent: there are none. */
  readonly readFile?: ReadFile;
  /** The run's trace and metrics. Absent if both are off. */
  readonly telemetry?: RunTelemetry;
  /** Resolves when everything emitted so far is durable, or when the run has another owner: then `signal` is aborted. */
  recorded(): Promise<void>;
}

/** The authors of the text in a conversation's memory: a fold of the logs of this run and all runs before it. */
export interface ConversationSources {
  /** Returns the names of what has brought words of strangers into it, such as tools. Empty: nothing has. */
  readStrangers(): Promise<readonly string[]>;
  /** Returns what the person has written in it, newest first. */
  readPersonText(): Promise<readonly string[]>;
}
