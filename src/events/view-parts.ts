import type { FileFacts, SourceFacts } from './message-part.js';
import type {
  ApprovalRequest,
  ClientToolRequest,
  ElicitationRequest,
  InputAnswered,
  InputRequest,
  InterruptRequest,
  PublicError,
  RunResume,
  ToolOutcome,
} from './run-event.js';
import type { Subagent } from './subagent.js';

/** A part of what an agent says. */
export type MessageViewPart = TextPart | ReasoningPart | FilePart | SourcePart;

/** Fields of every part. */
interface Part {
  /** Set on the first part of an owner that has taken the run over: what died with the last owner is not in the view. */
  readonly continued?: RunResume['reason'];
}

export type ViewPart =
  TextPart | ReasoningPart | FilePart | SourcePart | ToolPart | InputPart | PersonPart | CustomPart;

export interface TextPart extends Part {
  readonly kind: 'text';
  readonly partId: string;
  readonly stepId: string;
  readonly text: string;
  readonly open: boolean;
  /** The agent whose output it is, where it is not the run's own. */
  readonly subagent?: Subagent;
}

export interface ReasoningPart extends Part {
  readonly kind: 'reasoning';
  readonly partId: string;
  readonly stepId: string;
  readonly text: string;
  readonly open: boolean;
  /** The agent whose output it is, where it is not the run's own. */
  readonly subagent?: Subagent;
}

/** A file of the answer, or of a tool's call. */
export interface FilePart extends Part, FileFacts {
  readonly kind: 'file';
  readonly partId: string;
  readonly stepId: string;
  readonly toolCallId?: string;
  /** The agent whose output it is, where it is not the run's own. */
  readonly subagent?: Subagent;
}

/** A source that the text before it cites. */
export interface SourcePart extends Part, SourceFacts {
  readonly kind: 'source';
  readonly partId: string;
  readonly stepId: string;
  /** The agent whose output it is, where it is not the run's own. */
  readonly subagent?: Subagent;
}

export interface ToolPart extends Part {
  readonly kind: 'tool';
  readonly toolCallId: string;
  readonly toolName: string;
  readonly stepId: string;
  readonly label: string;
  readonly input?: unknown;
  /** Time when the call began, in milliseconds since the epoch, by the server's clock. */
  readonly startedAt: number;
  readonly progress?: { readonly message?: string; readonly fraction?: number; readonly data?: unknown };
  /** Absent while the tool runs. */
  readonly outcome?: ToolOutcome;
  readonly output?: unknown;
  readonly error?: PublicError;
  readonly durationMs?: number;
  readonly foreign?: true;
  /** The agent whose output it is, where it is not the run's own. */
  readonly subagent?: Subagent;
}

/** An input that the run waits for, or waited for. Its `kind` is `approval`, `interrupt`, `client-tool` or `elicitation`. */
export type InputPart = PartFor<InputRequest>;

export type ApprovalPart = PartFor<ApprovalRequest>;
export type InterruptPart = PartFor<InterruptRequest>;
export type ClientToolPart = PartFor<ClientToolRequest>;
export type ElicitationPart = PartFor<ElicitationRequest>;

type PartFor<Request> = Request extends InputRequest
  ? Omit<Request, 'type'> &
      Part & {
        readonly decision?: InputAnswered['decision'];
        readonly by?: string;
        /** The reason that was given with a denial. */
        readonly denial?: string;
      }
  : never;

/** A message that a person has sent to the run while it was under way. */
export interface PersonPart extends Part {
  readonly kind: 'person';
  readonly messageId: string;
  readonly text: string;
}

export interface CustomPart extends Part {
  readonly kind: 'custom';
  readonly name: string;
  readonly data: unknown;
  readonly stepId?: string;
}
