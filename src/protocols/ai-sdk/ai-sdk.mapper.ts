import { isCall, type InputAnswer, type RequestedInput } from '../../events/requested-input.js';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { FinishReason, InputAnswered, RunEnd } from '../../events/run-event.js';
import {
  applyEvent,
  emptyView,
  isInputPart,
  type ReasoningPart,
  type RunView,
  type TextPart,
  type ViewPart,
} from '../../events/run-view.js';
import { isInsideCall } from '../../events/subagent.js';
import { toAddressElsewhere, type ToAddress } from '../../events/file-address.js';
import type { ProtocolMapper } from '../protocol.mapper.js';
import type { AiSdkChunk } from './ai-sdk-chunks.js';
import { toFilePart } from './ai-sdk-files.js';
import {
  answerQuestion,
  replayPart,
  toPartMetadata,
  toPersonChunks,
  toRequestChunks,
  toStateChunks,
  toSubagentPart,
  toolBegin,
  toolOutput,
  toolProgress,
  type DecidedCalls,
} from './ai-sdk-parts.js';

/** The facts of the log so far that the next event depends on. */
interface Fold {
  readonly view: RunView;
  /** The run's steps that have begun and not ended. */
  readonly openSteps: readonly string[];
  /** Index in the view at which the client's step began; undefined between two steps. */
  readonly stepBegan: number | undefined;
  /** Unfinished messages of agents that a tool calls. Each is sent when it is complete. */
  readonly calledParts: ReadonlySet<string>;
}

/**
 * A run as an AI SDK UI message stream.
 *
 * The client knows one step at a time, where a run may have several side by side or one inside the other. Its step lasts from
 * the moment one of ours begins until none is open: so whatever a `step-reset` takes back lies in the client's current step,
 * which is all that `reset-step` can take back.
 *
 * @param approvals what the run before this one stopped for, when this one continues it: the client has these calls in its message
 * @param toAddress finds the address of a file
 */
export function createAiSdkMapper(
  approvals: readonly RequestedInput[] = [],
  toAddress: ToAddress = toAddressElsewhere,
): ProtocolMapper<AiSdkChunk> {
  const decided: DecidedCalls = new Map(
    approvals.flatMap((request) =>
      'toolCallId' in request && request.answer ? [[request.toolCallId, toDecision(request)] as const] : [],
    ),
  );
  const values = new Map(
    approvals.flatMap(({ inputId, answer }) =>
      answer?.decision === 'answer' ? [[inputId, answer.value] as const] : [],
    ),
  );
  let fold: Fold = { view: emptyView(''), openSteps: [], stepBegan: undefined, calledParts: new Set() };
  return (recorded) => {
    const before = fold;
    fold = next(before, recorded);
    return toChunks(recorded, { before, after: fold, decided, values, toAddress });
  };
}

function isQuestion({ kind }: InputAnswered): boolean {
  return kind === 'interrupt' || kind === 'elicitation';
}

/** A question in a call is not about whether the call is made. */
function toDecision({ kind, answer }: RequestedInput): InputAnswer['decision'] {
  return kind === 'elicitation' ? 'answer' : answer!.decision;
}

function next(fold: Fold, recorded: RecordedEvent): Fold {
  const { openSteps, stepBegan } = fold;
  const { event } = recorded;
  const after = applyEvent(fold.view, recorded);
  switch (event.type) {
    case 'step-start':
      return {
        ...fold,
        view: after,
        openSteps: [...openSteps, event.stepId],
        stepBegan: stepBegan ?? fold.view.parts.length,
      };
    case 'step-end': {
      const open = without(openSteps, event.stepId);
      if (open.length > 0) return { ...fold, view: after, openSteps: open };
      // A step that is over cannot be taken back: what it has said need not be said again, however long it was.
      return { ...fold, view: withoutText(after), openSteps: open, stepBegan: undefined };
    }
    case 'step-reset':
      return { ...fold, view: after, openSteps: without(openSteps, event.stepId) };
    case 'text-start':
    case 'reasoning-start': {
      if (!isInsideCall(event)) return { ...fold, view: after };
      return { ...fold, view: after, calledParts: new Set([...fold.calledParts, event.partId]) };
    }
    default:
      return { ...fold, view: after };
  }
}

/** Keeps only the facts about calls that the end needs. */
function withoutText(view: RunView): RunView {
  const parts = view.parts.flatMap((part): ViewPart[] => {
    if (isInputPart(part)) return [isCall(part) ? { ...part, input: undefined } : part];
    if (part.kind !== 'tool') return [];
    const { input: _, output: __, ...call } = part;
    return [call];
  });
  return { ...view, parts };
}

interface Moment {
  readonly before: Fold;
  readonly after: Fold;
  readonly decided: DecidedCalls;
  /** The values that were given, by input id. */
  readonly values: ReadonlyMap<string, unknown>;
  readonly toAddress: ToAddress;
}

function toChunks(
  { runId, threadId, event }: RecordedEvent,
  { before, after, decided, values, toAddress }: Moment,
): AiSdkChunk[] {
  switch (event.type) {
    case 'run-start': {
      const { messageId, agent } = event;
      return [{ type: 'start', messageId, messageMetadata: { runId, threadId, agent } }];
    }
    case 'step-start':
      return before.stepBegan === undefined ? [{ type: 'start-step' }] : [];
    case 'step-end':
      return after.stepBegan === undefined ? [{ type: 'finish-step' }] : [];
    case 'step-reset':
      // What steps beside it have said is taken back with it, and said again.
      return [
        { type: 'reset-step' },
        ...after.view.parts
          .slice(after.stepBegan)
          .flatMap((part) => replayPart(part, runId, { decided, toAddress })),
        ...toStateChunks(after.view),
      ];
    case 'text-start':
    case 'reasoning-start':
      if (isInsideCall(event)) return toSubagentParts(after.view, event.partId, runId);
      return [{ type: event.type, id: event.partId, ...toPartMetadata(event.subagent) }];
    case 'text-end':
    case 'reasoning-end':
      if (before.calledParts.has(event.partId)) return toSubagentParts(after.view, event.partId, runId);
      return [{ type: event.type, id: event.partId }];
    case 'text-delta':
    case 'reasoning-delta':
      if (before.calledParts.has(event.partId)) return [];
      return [{ type: event.type, id: event.partId, delta: event.delta }];
    case 'file':
    case 'source':
      return [toFilePart(event, runId, toAddress)];
    case 'tool-start':
      return toolBegin(event, decided);
    case 'tool-progress':
      return after.view.parts.flatMap((part) =>
        part.kind === 'tool' && part.toolCallId === event.toolCallId ? [toolProgress(part)] : [],
      );
    case 'tool-end':
      return event.outcome === 'awaiting-input' ? [] : [toolOutput(event, decided)];
    case 'input-request':
      return toRequestChunks(event);
    case 'state':
      return toStateChunks(after.view, before.view);
    case 'custom':
      return [{ type: `data-${event.name}`, data: event.data }];
    case 'end':
      return [
        ...closeUnmade(after.view, decided),
        ...(before.stepBegan === undefined ? [] : [{ type: 'finish-step' } as const]),
        ...toEnding(event),
      ];
    case 'input-answer':
      // The call itself shows a decision, and only version 7 reads `tool-approval-response`.
      return isQuestion(event) ? [answerQuestion(event, values.get(event.inputId))] : [];
    case 'message-put':
      return toPersonChunks(event);
    case 'run-resume':
    case 'checkpoint':
    case 'task':
    // In the metadata of the end, summed.
    case 'usage':
      return [];
    default:
      // A newer instance may have recorded what this one does not know.
      event satisfies never;
      return [];
  }
}

/**
 * The calls that wait for a person who is asked no more, or that were decided and yet not made. A client that has answered them
 * would send its answer again, and again.
 */
function closeUnmade({ status, parts }: RunView, decided: DecidedCalls): AiSdkChunk[] {
  const ended = new Set(
    parts.flatMap((part) => (part.kind === 'tool' && part.outcome ? [part.toolCallId] : [])),
  );
  const asked = parts.flatMap((part) => {
    if (!isInputPart(part)) return [];
    return [isCall(part) ? part.toolCallId : part.inputId];
  });
  const waiting = status === 'awaiting-input' ? [] : asked;
  return [...decided.keys(), ...waiting]
    .filter((toolCallId) => !ended.has(toolCallId))
    .map((toolCallId) => toolOutput({ toolCallId, outcome: 'cancelled', error: NOT_MADE }, decided));
}

const NOT_MADE = { code: 'TOOL_CANCELLED', message: 'The call was not made.', retryable: false };

const REASONS = {
  length: 'length',
  'content-filter': 'content-filter',
  refusal: 'content-filter',
  empty: 'other',
} as const satisfies Record<FinishReason, string>;

/** A failure is an `error` and nothing after it: the client discards the rest. */
function toEnding({ outcome, error, finishReason, usage, durationMs }: RunEnd): AiSdkChunk[] {
  const messageMetadata = { usage, durationMs };
  switch (outcome) {
    case 'completed':
      return [
        { type: 'finish', finishReason: finishReason ? REASONS[finishReason] : 'stop', messageMetadata },
      ];
    case 'awaiting-input':
      return [{ type: 'finish', finishReason: 'tool-calls', messageMetadata }];
    case 'cancelled':
      return [
        { type: 'abort', reason: 'cancelled' },
        { type: 'finish', finishReason: 'other', messageMetadata },
      ];
    case 'failed':
      return [{ type: 'error', errorText: error?.message ?? 'The run failed.' }];
    default:
      return outcome satisfies never;
  }
}

function toSubagentParts({ parts }: RunView, partId: string, runId: string): AiSdkChunk[] {
  const part = parts.findLast(
    (each): each is TextPart | ReasoningPart => 'partId' in each && each.partId === partId,
  );
  return part ? [toSubagentPart(part, runId)] : [];
}

function without(steps: readonly string[], stepId: string): readonly string[] {
  return steps.filter((open) => open !== stepId);
}
