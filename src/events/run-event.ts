import type { PatchOperation } from './json-patch.js';

/**
 * The canonical events of a run: everything a viewer can learn about it, in the order in which it happened.
 *
 * Rules that hold for every log (docs/event-protocol.md): each start has its end before the run's `end`; no text or
 * reasoning part spans two steps; nothing follows `end`. Durations are milliseconds, times are milliseconds since the epoch.
 */
export type RunEvent =
  // the run
  | RunStart
  | RunResume
  | RunEnd
  // its steps
  | StepStart
  | StepEnd
  | StepReset
  // the assistant's words
  | TextStart
  | TextDelta
  | TextEnd
  | ReasoningStart
  | ReasoningDelta
  | ReasoningEnd
  // tools
  | ToolStart
  | ToolProgress
  | ToolEnd
  // the outside is asked
  | InputRequest
  | InputAnswered
  // facts
  | UsageReport
  | StateChange
  | CustomEvent;

/** The name of an event, noun first: `tool-start`. */
export type RunEventType = RunEvent['type'];

/** The first event of every run. `resumeOf` names the run that waited for input and that this one continues. */
export interface RunStart {
  readonly type: 'run-start';
  readonly agent: string;
  /** The assistant message that this run writes; a continuing run keeps the message of the run it continues. */
  readonly messageId: string;
  readonly resumeOf?: string;
}

/** A new owner continues the run: its process died (`takeover`) or was started again (`restart`). */
export interface RunResume {
  readonly type: 'run-resume';
  readonly reason: 'takeover' | 'restart';
}

/** Exactly one in a run, and the last. */
export interface RunEnd {
  readonly type: 'end';
  readonly outcome: RunOutcome;
  readonly error?: PublicError;
  /** Of the last model call, in a run that completed. The answer is all there is, and not all that it could have been. */
  readonly finishReason?: FinishReason;
  readonly usage: Usage;
  readonly durationMs: number;
}

export type RunOutcome = 'completed' | 'failed' | 'cancelled' | 'awaiting-input';

/** The part of a failure that viewers may see: a stable code and a sentence that was written to be shown. */
export interface PublicError {
  readonly code: string;
  readonly message: string;
  /** True when asking again, unchanged, may succeed. */
  readonly retryable: boolean;
}

/** Tokens, as the model's provider counted them. Its parts are in the totals already, and absent where nothing was counted. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
  /** Of the input: read from the provider's cache. */
  readonly cachedInputTokens?: number;
  /** Of the input: written to the provider's cache. */
  readonly cacheWriteInputTokens?: number;
  /** Of the output: thoughts. */
  readonly reasoningTokens?: number;
}

/** `stepId` is the same in every attempt at a step; `attempt` counts the owners of the run, from 1. */
export interface StepStart {
  readonly type: 'step-start';
  readonly stepId: string;
  readonly name: string;
  readonly attempt: number;
  readonly parentStepId?: string;
}

export interface StepEnd {
  readonly type: 'step-end';
  readonly stepId: string;
  readonly name: string;
  readonly attempt: number;
  readonly parentStepId?: string;
}

/** Supersedes the output of a step so far: viewers drop it. Its id stays, and a `step-start` follows. */
export interface StepReset {
  readonly type: 'step-reset';
  readonly stepId: string;
  readonly attempt: number;
  /** `replaced`: the agent has put another message in the place of one, or none. */
  readonly reason: 'takeover' | 'restart' | 'retry' | 'replaced';
}

export interface TextStart {
  readonly type: 'text-start';
  readonly partId: string;
  readonly messageId: string;
  readonly stepId: string;
}

export interface TextDelta {
  readonly type: 'text-delta';
  readonly partId: string;
  readonly delta: string;
}

export interface TextEnd {
  readonly type: 'text-end';
  readonly partId: string;
}

export interface ReasoningStart {
  readonly type: 'reasoning-start';
  readonly partId: string;
  readonly messageId: string;
  readonly stepId: string;
}

export interface ReasoningDelta {
  readonly type: 'reasoning-delta';
  readonly partId: string;
  readonly delta: string;
}

export interface ReasoningEnd {
  readonly type: 'reasoning-end';
  readonly partId: string;
}

/** `label` is for people: "Searching the web…". `input` is present only as far as the tool exposes it. */
export interface ToolStart {
  readonly type: 'tool-start';
  readonly toolCallId: string;
  readonly toolName: string;
  readonly stepId: string;
  readonly messageId: string;
  readonly label: string;
  readonly input?: unknown;
}

/** From inside a running tool. `fraction` is 0 to 1. */
export interface ToolProgress {
  readonly type: 'tool-progress';
  readonly toolCallId: string;
  readonly message?: string;
  readonly fraction?: number;
  readonly data?: unknown;
}

export interface ToolEnd {
  readonly type: 'tool-end';
  readonly toolCallId: string;
  readonly outcome: ToolOutcome;
  readonly output?: unknown;
  readonly error?: PublicError;
  readonly durationMs: number;
  /** The call has brought words of strangers into the conversation. */
  readonly foreign?: true;
}

/** `awaiting-input`: the call has asked something, and is made again with the answer. */
export type ToolOutcome =
  'ok' | 'error' | 'invalid-input' | 'unknown-tool' | 'denied' | 'timeout' | 'cancelled' | 'awaiting-input';

/** The run stops, and waits for something from outside. A run that goes on with the answers starts with an `input-answer` for each. */
export type InputRequest = ApprovalRequest | InterruptRequest | ClientToolRequest | ElicitationRequest;

/** The fields of every request, of any kind. `expiresAt` is milliseconds since the epoch. */
interface RequestedFromOutside {
  readonly type: 'input-request';
  readonly inputId: string;
  readonly stepId: string;
  readonly expiresAt?: number;
}

/** A person has to decide before this tool call is made. */
export interface ApprovalRequest extends RequestedFromOutside {
  readonly kind: 'approval';
  readonly toolCallId: string;
  readonly toolName: string;
  readonly label: string;
  readonly input: unknown;
  /** The reason to decide on this call, if the tool does not always ask. For people. */
  readonly reason?: string;
}

/** A graph has called `interrupt(value)`, or stopped where it was compiled to stop. Answered by any JSON value. */
export interface InterruptRequest extends RequestedFromOutside {
  readonly kind: 'interrupt';
  readonly value: unknown;
  /** JSON Schema that the answer has to fit, where the graph gave one. */
  readonly schema?: Readonly<Record<string, unknown>>;
}

/** A tool that the front end runs. Answered by its result. */
export interface ClientToolRequest extends RequestedFromOutside {
  readonly kind: 'client-tool';
  readonly toolCallId: string;
  readonly toolName: string;
  readonly label: string;
  readonly input: unknown;
}

/** A tool asks in the middle of its call, as MCP servers do. Answered by an object that fits the schema. The call is then made again. */
export interface ElicitationRequest extends RequestedFromOutside {
  readonly kind: 'elicitation';
  readonly toolCallId: string;
  readonly toolName: string;
  readonly message: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

/** Kind of an input that a run waits for. */
export type InputKind = InputRequest['kind'];

/** The decision on a request, and its author: a user id, or `expiry`. A value that was given is in the run's record, not here. */
export interface InputAnswered {
  readonly type: 'input-answer';
  readonly inputId: string;
  readonly kind: InputKind;
  readonly decision: 'approve' | 'edit' | 'deny' | 'answer';
  readonly by: string;
}

/** The end of one model call, and its tokens; 0 where the provider did not count them. */
export interface UsageReport extends Usage {
  readonly type: 'usage';
  readonly model: string;
  /** Absent when the model came to its own end, or called tools. */
  readonly finishReason?: FinishReason;
}

/**
 * Reason why a model stopped before its own end: its maximum length (`length`), its provider holds the answer back
 * (`content-filter`), a refusal (`refusal`), or no text at all (`empty`).
 */
export type FinishReason = 'length' | 'content-filter' | 'refusal' | 'empty';

/**
 * A change of the state that the agent shows beside its messages. The state is an object; the first change of each owner of the run says all of it,
 * by one operation at the root, and each later one what differs from the change before.
 */
export interface StateChange {
  readonly type: 'state';
  readonly patch: readonly PatchOperation[];
  /** Ids of the steps that wrote a key, by the keys that this changes. Absent where it is not known, as of a run's input. */
  readonly writers?: Readonly<Record<string, readonly string[]>>;
  /** All keys that are left out at the moment, because the state would exceed its limit with them. */
  readonly omitted?: readonly string[];
}

/** A team's own fact, written by a graph through LangGraph's `config.writer`. */
export interface CustomEvent {
  readonly type: 'custom';
  readonly name: string;
  readonly data: unknown;
}
