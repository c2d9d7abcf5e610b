import type { CheckpointReached, TaskPlanned } from './checkpoint-event.js';
import type { PatchOperation } from './json-patch.js';
import type { FileFacts, PlacedFile, SourceFacts } from './message-part.js';
import type { AddedMessage } from './requested-input.js';
import type { Subagent } from './subagent.js';
import type { InputKind, InputRequest } from './input-request.js';
import type { FinishReason, Usage, UsageReport } from './usage-report.js';

export type { CheckpointReached, PlannedStep, TaskPlanned } from './checkpoint-event.js';
export type {
  ApprovalRequest,
  ClientToolRequest,
  ElicitationRequest,
  InputKind,
  InputRequest,
  InterruptRequest,
} from './input-request.js';
export type { FinishReason, Usage, UsageReport } from './usage-report.js';

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
  | FilePut
  | SourceCited
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
  | CheckpointReached
  | TaskPlanned
  | MessagePut
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
  /** The files of the person's message. Absent: none. */
  readonly files?: readonly PlacedFile[];
  /** Time that the run waited for its first owner. Absent: it began where it was asked for. */
  readonly queuedMs?: number;
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
  /** The name of an error of the agent's own code, whose message this is. Only of an agent that shows its errors. */
  readonly name?: string;
}

/** `stepId` is the same in every attempt at a step; `attempt` counts the owners of the run, from 1. */
export interface StepStart {
  readonly type: 'step-start';
  readonly stepId: string;
  readonly name: string;
  readonly attempt: number;
  readonly parentStepId?: string;
  /** The agent at work, where it is not the run's own. */
  readonly subagent?: Subagent;
}

export interface StepEnd {
  readonly type: 'step-end';
  readonly stepId: string;
  readonly name: string;
  readonly attempt: number;
  readonly parentStepId?: string;
  /** The agent at work, where it is not the run's own. */
  readonly subagent?: Subagent;
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
  /** The agent at work, where it is not the run's own. */
  readonly subagent?: Subagent;
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
  /** The agent at work, where it is not the run's own. */
  readonly subagent?: Subagent;
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

/** A file of the answer, such as an image; or, with a `toolCallId`, a file from that call, which is still open. */
export interface FilePut extends FileFacts {
  readonly type: 'file';
  readonly partId: string;
  readonly messageId: string;
  readonly stepId: string;
  readonly toolCallId?: string;
  /** The agent at work, where it is not the run's own. */
  readonly subagent?: Subagent;
}

/** A source that the text before it cites. */
export interface SourceCited extends SourceFacts {
  readonly type: 'source';
  readonly partId: string;
  readonly messageId: string;
  readonly stepId: string;
  /** The agent at work, where it is not the run's own. */
  readonly subagent?: Subagent;
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
  /** The agent at work, where it is not the run's own. */
  readonly subagent?: Subagent;
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

/** The decision on a request, and its author: a user id, or `expiry`. A value that was given (`answer`) is in the run's record, not here. */
export interface InputAnswered {
  readonly type: 'input-answer';
  readonly inputId: string;
  readonly kind: InputKind;
  readonly decision: 'approve' | 'edit' | 'deny' | 'answer';
  readonly by: string;
  /** With `edit`: the arguments that the tool is called with, in place of the model's. */
  readonly input?: unknown;
  /** Messages that came with the answer, and are part of the conversation from here on. */
  readonly added?: readonly AddedMessage[];
}

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

/** A message of the thread that was changed from outside, by a change of the agent's state; or one that a graph has written in the person's name. */
export interface MessagePut {
  readonly type: 'message-put';
  /** Its id in the thread's conversation. */
  readonly messageId: string;
  /** Its words from now on. Absent: it was removed. */
  readonly text?: string;
  /** Present for a message that is new. */
  readonly role?: 'user';
  /** The step that has written it, and with which it is superseded. Absent: it came from outside. */
  readonly stepId?: string;
}

/** A team's own fact, written by a graph through LangGraph's `config.writer`. */
export interface CustomEvent {
  readonly type: 'custom';
  readonly name: string;
  readonly data: unknown;
  /** The step that wrote it. Absent where it outlived its step. */
  readonly stepId?: string;
}
