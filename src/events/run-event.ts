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
  // a person decides
  | ApprovalRequest
  | ApprovalAnswer
  // facts
  | UsageReport
  | CustomEvent;

/** The name of an event, noun first: `tool-start`. */
export type RunEventType = RunEvent['type'];

/** The first event of every run. `resumeOf` names the run that stopped for an approval and that this one continues. */
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
  readonly usage: Usage;
  readonly durationMs: number;
}

export type RunOutcome = 'completed' | 'failed' | 'cancelled' | 'awaiting-approval';

/** What a viewer may know of a failure: a stable code and a sentence that was written to be shown. */
export interface PublicError {
  readonly code: string;
  readonly message: string;
  /** True when asking again, unchanged, may succeed. */
  readonly retryable: boolean;
}

/** Tokens, as the model's provider counted them. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
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

/** What this step has put out so far is superseded: viewers drop it. Its id stays, and a `step-start` follows. */
export interface StepReset {
  readonly type: 'step-reset';
  readonly stepId: string;
  readonly attempt: number;
  readonly reason: 'takeover' | 'restart' | 'retry';
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
}

export type ToolOutcome =
  'ok' | 'error' | 'invalid-input' | 'unknown-tool' | 'denied' | 'timeout' | 'cancelled';

/** A person has to decide before this tool call is made. `expiresAt` is milliseconds since the epoch. */
export interface ApprovalRequest {
  readonly type: 'approval-request';
  readonly approvalId: string;
  readonly toolCallId: string;
  readonly toolName: string;
  readonly stepId: string;
  readonly label: string;
  readonly input: unknown;
  readonly expiresAt?: number;
}

export interface ApprovalAnswer {
  readonly type: 'approval-answer';
  readonly approvalId: string;
  readonly decision: 'approve' | 'edit' | 'deny';
  readonly by: string;
}

/** The tokens of one model call. */
export interface UsageReport extends Usage {
  readonly type: 'usage';
  readonly model: string;
}

/** A team's own fact, written by a graph through LangGraph's `config.writer`. */
export interface CustomEvent {
  readonly type: 'custom';
  readonly name: string;
  readonly data: unknown;
}
