import type {
  FinishReason,
  InputAnswered,
  InputKind,
  PublicError,
  RunOutcome,
  RunResume,
  StepReset,
  ToolOutcome,
  Usage,
} from './run-event.js';
import type { Subagent } from './subagent.js';

/** A run along time, as {@link foldTimeline} gets it from a log. Times are milliseconds since the epoch, by the server's clock. */
export interface RunTimeline {
  /** Time when the run was asked for. 0 for an empty log. */
  readonly from: number;
  /** Time of the last event. */
  readonly to: number;
  /** Each step is followed by what happened in it, otherwise in the order in which they began. */
  readonly rows: readonly TimelineRow[];
  /** Text that readers have seen and that something else has taken the place of. */
  readonly replaced: readonly ReplacedText[];
  /** Number of owners that the run has had so far; of a chain of runs, the most that one of them has had. */
  readonly attempts: number;
  /** Places in the log after which events are missing: it was compacted, and a replay jumps there. */
  readonly jumps: readonly number[];
  /** Absent while the run goes on. */
  readonly outcome?: RunOutcome;
  readonly error?: PublicError;
}

export type TimelineRow = QueueRow | StepRow | ModelCallRow | TextRow | ToolRow | WaitRow | DeadRow;

/** Fields of every row. `first` and `last` are the places of its events in the log, from 0. */
interface Row {
  readonly id: string;
  readonly depth: number;
  readonly from: number;
  /** Absent while it goes on. */
  readonly to?: number;
  readonly first: number;
  readonly last: number;
  /** Number of the owner that did it, from 1. */
  readonly attempt: number;
  /** `cut`: its owner died. `waiting`: for an answer that has not come. */
  readonly state: 'open' | 'done' | 'failed' | 'cut' | 'waiting';
  /** The reason why its output was superseded. Absent where it stands. */
  readonly replaced?: StepReset['reason'];
}

/** The run waited for its first owner. */
export interface QueueRow extends Row {
  readonly kind: 'queue';
}

export interface StepRow extends Row {
  readonly kind: 'step';
  readonly stepId: string;
  readonly name: string;
  /** The agent at work, where it is not the run's own. */
  readonly subagent?: Subagent;
}

export interface ModelCallRow extends Row {
  readonly kind: 'model-call';
  readonly stepId?: string;
  readonly model: string;
  readonly usage: Usage;
  readonly firstTokenAt?: number;
  /** Output tokens a second, from the first one on. Absent where that is not known. */
  readonly tokensPerSecond?: number;
  readonly finishReason?: FinishReason;
  /** The text and the reasoning that it brought. */
  readonly texts: readonly TextRow[];
}

/** Text that belongs to no model call of the log: of a call that was cut off, or of an agent that reports none. */
export interface TextRow extends Row {
  readonly kind: 'text' | 'reasoning';
  readonly stepId: string;
  readonly partId: string;
  readonly text: string;
}

export interface ToolRow extends Row {
  readonly kind: 'tool';
  readonly stepId: string;
  readonly toolCallId: string;
  readonly toolName: string;
  readonly label: string;
  /** Present as far as the tool exposes it, as `output` is. */
  readonly input?: unknown;
  readonly output?: unknown;
  readonly outcome?: ToolOutcome;
  readonly error?: PublicError;
  readonly durationMs?: number;
}

/** The run waited for an answer from outside. */
export interface WaitRow extends Row {
  readonly kind: 'wait';
  readonly inputId: string;
  readonly asked: InputKind;
  readonly label: string;
  readonly input?: unknown;
  readonly decision?: InputAnswered['decision'];
  readonly by?: string;
  /** The arguments that a person has put in the place of `input`. */
  readonly edited?: unknown;
}

/** Nobody worked on the run, from the last event of an owner to the first of the next. */
export interface DeadRow extends Row {
  readonly kind: 'dead';
  readonly reason: RunResume['reason'];
}

export interface ReplacedText {
  readonly stepId: string;
  readonly reason: StepReset['reason'];
  /** Of the owner that had written it. */
  readonly attempt: number;
  readonly text: string;
  /** Time when it was superseded, and the place of that in the log. */
  readonly at: number;
  readonly index: number;
}
