import { applyState, type RunState } from './run-state.js';
import type { RequestedInput } from './requested-input.js';
import type { RecordedEvent } from './recorded-event.js';
import type {
  ApprovalRequest,
  ClientToolRequest,
  ElicitationRequest,
  FinishReason,
  InputAnswered,
  InputRequest,
  InterruptRequest,
  PublicError,
  RunEvent,
  RunOutcome,
  ToolOutcome,
  Usage,
} from './run-event.js';
import { addUsage } from './usage.js';

/** A run as a person sees it. Server, browser and tests all get it from {@link foldRun}; nothing else computes it. */
export interface RunView {
  readonly runId: string;
  readonly status: 'pending' | 'running' | RunOutcome;
  readonly agent?: string;
  readonly messageId?: string;
  /** In the order in which they began. */
  readonly parts: readonly ViewPart[];
  /** State that the agent shows beside its messages. Absent where it shows none. */
  readonly state?: RunState;
  /** Keys that are missing in the state because it would exceed its limit with them. */
  readonly omittedState?: readonly string[];
  readonly usage?: Usage;
  readonly error?: PublicError;
  /** The reason why the answer of a completed run is incomplete. */
  readonly finishReason?: FinishReason;
  readonly durationMs?: number;
  /** The last event that was folded in; 0 before the first. */
  readonly seq: number;
  readonly epoch: number;
}

export type ViewPart = TextPart | ReasoningPart | ToolPart | InputPart | CustomPart;

export interface TextPart {
  readonly kind: 'text';
  readonly partId: string;
  readonly stepId: string;
  readonly text: string;
  readonly open: boolean;
}

export interface ReasoningPart {
  readonly kind: 'reasoning';
  readonly partId: string;
  readonly stepId: string;
  readonly text: string;
  readonly open: boolean;
}

export interface ToolPart {
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
}

/** Something that the run waits for, or waited for. Of a kind of its own each: `approval`, `interrupt`, `client-tool`, `elicitation`. */
export type InputPart = PartFor<InputRequest>;

export type ApprovalPart = PartFor<ApprovalRequest>;
export type InterruptPart = PartFor<InterruptRequest>;
export type ClientToolPart = PartFor<ClientToolRequest>;
export type ElicitationPart = PartFor<ElicitationRequest>;

type PartFor<Request> = Request extends InputRequest
  ? Omit<Request, 'type'> & { readonly decision?: InputAnswered['decision']; readonly by?: string }
  : never;

/** True for a part that was, or still is, to be answered from outside. */
export function isInputPart(part: ViewPart): part is InputPart {
  return 'inputId' in part;
}

export interface CustomPart {
  readonly kind: 'custom';
  readonly name: string;
  readonly data: unknown;
}

/** The view of a run of which nothing has been seen. */
export function emptyView(runId: string): RunView {
  return { runId, status: 'pending', parts: [], seq: 0, epoch: 0 };
}

/** Folds a whole log. `fold(log)` is what every viewer shows, however often it reconnected. */
export function foldRun(runId: string, log: Iterable<RecordedEvent>): RunView {
  let view = emptyView(runId);
  for (const recorded of log) view = applyEvent(view, recorded);
  return view;
}

/**
 * The next view. Pure: returns a new object and shares what did not change, so `===` tells a renderer which parts to draw.
 * An event that was already folded in (seq not above the view's) changes nothing, which makes redelivery harmless.
 */
export function applyEvent(view: RunView, recorded: RecordedEvent): RunView {
  if (recorded.seq <= view.seq) return view;
  return { ...applyFact(view, recorded.event, recorded.at), seq: recorded.seq, epoch: recorded.epoch };
}

function applyFact(view: RunView, event: RunEvent, at: number): RunView {
  switch (event.type) {
    case 'run-start':
      return { ...view, status: 'running', agent: event.agent, messageId: event.messageId };
    case 'run-resume':
    case 'step-start':
    case 'step-end':
      return view;
    case 'step-reset':
      return {
        ...view,
        parts: view.parts.filter((part) => !('stepId' in part && part.stepId === event.stepId)),
      };
    case 'text-start':
      return append(view, { kind: 'text', partId: event.partId, stepId: event.stepId, text: '', open: true });
    case 'reasoning-start':
      return append(view, {
        kind: 'reasoning',
        partId: event.partId,
        stepId: event.stepId,
        text: '',
        open: true,
      });
    case 'text-delta':
    case 'reasoning-delta':
      return changeText(view, event.partId, (part) => ({ ...part, text: part.text + event.delta }));
    case 'text-end':
    case 'reasoning-end':
      return changeText(view, event.partId, (part) => ({ ...part, open: false }));
    case 'tool-start': {
      const { toolCallId, toolName, stepId, label, input } = event;
      const part: ToolPart = { kind: 'tool', toolCallId, toolName, stepId, label, startedAt: at };
      return append(view, input === undefined ? part : { ...part, input });
    }
    case 'tool-progress': {
      const { type: _, toolCallId, ...progress } = event;
      return changeTool(view, toolCallId, (part) => ({
        ...part,
        progress: { ...part.progress, ...progress },
      }));
    }
    case 'tool-end': {
      const { type: _, toolCallId, ...end } = event;
      return changeTool(view, toolCallId, (part) => ({ ...part, ...end }));
    }
    case 'input-request': {
      const { type: _, ...request } = event;
      return append(view, request);
    }
    case 'input-answer':
      return change(
        view,
        (part) => isInputPart(part) && part.inputId === event.inputId,
        (part) => ({ ...(part as InputPart), decision: event.decision, by: event.by }),
      );
    case 'usage':
      return { ...view, usage: addUsage(view.usage, event) };
    case 'state': {
      const { omittedState: _, ...rest } = view;
      const state = applyState(view.state, event);
      return { ...rest, state, ...(event.omitted && { omittedState: event.omitted }) };
    }
    case 'custom':
      return append(view, { kind: 'custom', name: event.name, data: event.data });
    case 'end':
      return {
        ...view,
        status: event.outcome,
        usage: event.usage,
        durationMs: event.durationMs,
        ...(event.error && { error: event.error }),
        ...(event.finishReason && { finishReason: event.finishReason }),
      };
    default:
      // A server newer than this client may send events that it does not know: they change nothing here.
      event satisfies never;
      return view;
  }
}

/** With what was decided on what it asked for: answers come when the run's own log has ended. */
export function withDecisions(view: RunView, inputs: readonly RequestedInput[]): RunView {
  const answers = new Map(inputs.map(({ inputId, answer }) => [inputId, answer]));
  const decided = view.parts.some((part) => isInputPart(part) && answers.get(part.inputId));
  if (!decided) return view;
  const parts = view.parts.map((part) => {
    const answer = isInputPart(part) ? answers.get(part.inputId) : undefined;
    return answer ? { ...part, decision: answer.decision, by: answer.by } : part;
  });
  return { ...view, parts };
}

/** The assistant's words: the text parts, in order, joined. */
export function getText(view: RunView): string {
  return view.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
}

function append(view: RunView, part: ViewPart): RunView {
  return { ...view, parts: [...view.parts, part] };
}

type TextLikePart = TextPart | ReasoningPart;

function changeText(view: RunView, partId: string, next: (part: TextLikePart) => TextLikePart): RunView {
  const matches = (part: ViewPart) =>
    (part.kind === 'text' || part.kind === 'reasoning') && part.partId === partId;
  return change(view, matches, (part) => next(part as TextLikePart));
}

function changeTool(view: RunView, toolCallId: string, next: (part: ToolPart) => ToolPart): RunView {
  const matches = (part: ViewPart) => part.kind === 'tool' && part.toolCallId === toolCallId;
  return change(view, matches, (part) => next(part as ToolPart));
}

function change(
  view: RunView,
  matches: (part: ViewPart) => boolean,
  next: (part: ViewPart) => ViewPart,
): RunView {
  // From the end: the part that changes is nearly always the newest.
  const index = view.parts.findLastIndex(matches);
  const part = view.parts[index];
  return part ? { ...view, parts: view.parts.with(index, next(part)) } : view;
}
