import { applyState, type RunState } from './run-state.js';
import type { RecordedDecision, RequestedInput } from './requested-input.js';
import type { RecordedEvent } from './recorded-event.js';
import type {
  FinishReason,
  MessagePut,
  PublicError,
  RunEvent,
  RunOutcome,
  RunResume,
  StepReset,
  Usage,
} from './run-event.js';
import { isInsideCall } from './subagent.js';
import { addUsage } from './usage.js';
import type {
  FilePart,
  InputPart,
  PersonPart,
  ReasoningPart,
  SourcePart,
  TextPart,
  ToolPart,
  ViewPart,
} from './view-parts.js';

export type * from './view-parts.js';

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
  /** The reason why the run has another owner, for as long as that has not begun a part. */
  readonly continued?: RunResume['reason'];
  /** The last event that was folded in; 0 before the first. */
  readonly seq: number;
  readonly epoch: number;
}

/** True for a part that was, or still is, to be answered from outside. */
export function isInputPart(part: ViewPart): part is InputPart {
  return 'inputId' in part;
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
      return { ...view, continued: event.reason };
    case 'step-start':
    case 'step-end':
      return view;
    case 'step-reset':
      return supersede(view, event);
    case 'text-start':
    case 'reasoning-start': {
      const { partId, stepId, subagent } = event;
      const kind = event.type === 'text-start' ? 'text' : 'reasoning';
      return append(view, { kind, partId, stepId, text: '', open: true, ...(subagent && { subagent }) });
    }
    case 'text-delta':
    case 'reasoning-delta':
      return changeText(view, event.partId, (part) => ({ ...part, text: part.text + event.delta }));
    case 'text-end':
    case 'reasoning-end':
      return changeText(view, event.partId, (part) => ({ ...part, open: false }));
    case 'file':
    case 'source': {
      const { type: kind, messageId: _, ...part } = event;
      return append(view, { kind, ...part } as FilePart | SourcePart);
    }
    case 'tool-start': {
      const { toolCallId, toolName, stepId, label, input, subagent } = event;
      const part: ToolPart = { kind: 'tool', toolCallId, toolName, stepId, label, startedAt: at };
      return append(view, { ...part, ...(input !== undefined && { input }), ...(subagent && { subagent }) });
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
        (part) => withAnswer(part as InputPart, event),
      );
    case 'usage':
      return { ...view, usage: addUsage(view.usage, event) };
    case 'state': {
      const { omittedState: _, ...rest } = view;
      const state = applyState(view.state, event);
      return { ...rest, state, ...(event.omitted && { omittedState: event.omitted }) };
    }
    case 'custom': {
      const { type: kind, ...written } = event;
      return append(view, { kind, ...written });
    }
    case 'message-put':
      return putMessage(view, event);
    // For those who continue from it.
    case 'checkpoint':
    case 'task':
      return view;
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
    return answer ? withAnswer(part as InputPart, answer) : part;
  });
  return { ...view, parts };
}

/** Returns the part with its answer. The arguments of an edit replace the model's, because the tool is called with them. */
function withAnswer(
  part: InputPart,
  answer: Pick<RecordedDecision, 'decision' | 'by'> & { readonly input?: unknown; readonly reason?: string },
): InputPart {
  const { decision, by, input, reason } = answer;
  const isEdited = decision === 'edit' && input !== undefined && 'input' in part;
  return {
    ...part,
    decision,
    by,
    ...(isEdited && { input }),
    ...(reason !== undefined && { denial: reason }),
  };
}

/** The assistant's words: the text parts of the answer, in order, joined. Those of agents that a tool calls are none of it. */
export function getText(view: RunView): string {
  return listTexts(view).join('');
}

/** The texts of the answer, one for each time that a model has said something. */
export function listTexts({ parts }: RunView): string[] {
  return parts.flatMap((part) => (part.kind === 'text' && !isInsideCall(part) ? [part.text] : []));
}

/**
 * Drops the parts that a step has withdrawn. The mark of a new owner passes on to the part after the one that had it: a log without the withdrawn
 * parts gives the same view.
 */
function supersede(view: RunView, reset: StepReset): RunView {
  let continued: RunResume['reason'] | undefined;
  const parts: ViewPart[] = [];
  for (const part of view.parts) {
    const mark = part.continued ?? continued;
    if (isSuperseded(part, reset)) continued = mark;
    else {
      parts.push(mark === part.continued ? part : { ...part, continued: mark! });
      continued = undefined;
    }
  }
  const last = view.continued ?? continued;
  return { ...view, parts, ...(last && { continued: last }) };
}

/** A message that is replaced takes nothing with it that its step has told beside it. */
function isSuperseded(part: ViewPart, { stepId, reason }: StepReset): boolean {
  if (part.kind === 'custom' && reason === 'replaced') return false;
  return 'stepId' in part && part.stepId === stepId;
}

function append(view: RunView, part: ViewPart): RunView {
  const { continued, ...rest } = view;
  if (continued === undefined) return { ...view, parts: [...view.parts, part] };
  return { ...rest, parts: [...view.parts, { ...part, continued }] };
}

/** Changes of messages of other runs' answers are in the thread's conversation only. */
function putMessage(view: RunView, { messageId, text, role, stepId }: MessagePut): RunView {
  // One that a graph has written is part of its state only.
  if (text === undefined || stepId !== undefined) return view;
  const matches = (part: ViewPart) => part.kind === 'person' && part.messageId === messageId;
  if (view.parts.some(matches)) return change(view, matches, (part) => ({ ...(part as PersonPart), text }));
  return role ? append(view, { kind: 'person', messageId, text }) : view;
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
