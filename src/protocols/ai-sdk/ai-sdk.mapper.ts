import type { Approval } from '../../events/approval.js';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { RunEnd } from '../../events/run-event.js';
import { applyEvent, emptyView, type RunView } from '../../events/run-view.js';
import type { ProtocolMapper } from '../protocol.mapper.js';
import type { AiSdkChunk } from './ai-sdk.chunks.js';
import {
  chunksOfPart,
  toolBegin,
  toolInput,
  toolOutput,
  toolProgress,
  type DecidedCalls,
} from './ai-sdk.parts.js';

/** What has to be known of the log so far to say the next event. */
interface Fold {
  readonly view: RunView;
  /** The run's steps that have begun and not ended. */
  readonly openSteps: readonly string[];
  /** Where in the view the client's step begins; undefined between two. */
  readonly stepBegan: number | undefined;
}

/**
 * A run as an AI SDK UI message stream.
 *
 * The client knows one step at a time, where a run may have several side by side or one inside the other. Its step lasts from
 * the moment one of ours begins until none is open: so whatever a `step-reset` takes back lies in the client's current step,
 * which is all that `reset-step` can take back.
 *
 * @param asked what the run before this one stopped for, when this one continues it: the client has these calls in its message
 */
export function createAiSdkMapper(asked: readonly Approval[] = []): ProtocolMapper<AiSdkChunk> {
  const decided: DecidedCalls = new Map(
    asked.flatMap(({ toolCallId, answer }) => (answer ? [[toolCallId, answer.decision] as const] : [])),
  );
  let fold: Fold = { view: emptyView(''), openSteps: [], stepBegan: undefined };
  return (recorded) => {
    const before = fold;
    fold = next(before, recorded);
    return chunksOf(recorded, { before, after: fold, decided });
  };
}

function next({ view, openSteps, stepBegan }: Fold, recorded: RecordedEvent): Fold {
  const { event } = recorded;
  const after = applyEvent(view, recorded);
  switch (event.type) {
    case 'step-start':
      return {
        view: after,
        openSteps: [...openSteps, event.stepId],
        stepBegan: stepBegan ?? view.parts.length,
      };
    case 'step-end': {
      const open = without(openSteps, event.stepId);
      return { view: after, openSteps: open, stepBegan: open.length === 0 ? undefined : stepBegan };
    }
    case 'step-reset':
      return { view: after, openSteps: without(openSteps, event.stepId), stepBegan };
    default:
      return { view: after, openSteps, stepBegan };
  }
}

interface Moment {
  readonly before: Fold;
  readonly after: Fold;
  readonly decided: DecidedCalls;
}

function chunksOf(
  { runId, threadId, event }: RecordedEvent,
  { before, after, decided }: Moment,
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
        ...after.view.parts.slice(after.stepBegan).flatMap((part) => chunksOfPart(part, decided)),
      ];
    case 'text-start':
    case 'reasoning-start':
    case 'text-end':
    case 'reasoning-end':
      return [{ type: event.type, id: event.partId }];
    case 'text-delta':
    case 'reasoning-delta':
      return [{ type: event.type, id: event.partId, delta: event.delta }];
    case 'tool-start':
      return toolBegin(event, decided);
    case 'tool-progress':
      return after.view.parts.flatMap((part) =>
        part.kind === 'tool' && part.toolCallId === event.toolCallId ? [toolProgress(part)] : [],
      );
    case 'tool-end':
      return [toolOutput(event, decided)];
    case 'approval-request': {
      const { approvalId, toolCallId } = event;
      return [toolInput(event), { type: 'tool-approval-request', approvalId, toolCallId }];
    }
    case 'custom':
      return [{ type: `data-${event.name}`, data: event.data }];
    case 'end':
      return [
        ...unmade(after.view, decided),
        ...(before.stepBegan === undefined ? [] : [{ type: 'finish-step' } as const]),
        ...ending(event),
      ];
    case 'run-resume':
    // Whoever answered has the answer already, and only version 7 reads `tool-approval-response`.
    case 'approval-answer':
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
function unmade({ status, parts }: RunView, decided: DecidedCalls): AiSdkChunk[] {
  const ended = new Set(
    parts.flatMap((part) => (part.kind === 'tool' && part.outcome ? [part.toolCallId] : [])),
  );
  const asked = parts.flatMap((part) => (part.kind === 'approval' ? [part.toolCallId] : []));
  const waiting = status === 'awaiting-approval' ? [] : asked;
  return [...decided.keys(), ...waiting]
    .filter((toolCallId) => !ended.has(toolCallId))
    .map((toolCallId) => toolOutput({ toolCallId, outcome: 'cancelled', error: NOT_MADE }, decided));
}

const NOT_MADE = { code: 'TOOL_CANCELLED', message: 'The call was not made.', retryable: false };

/** A failure is an `error` and nothing after it: the client discards the rest. */
function ending({ outcome, error, usage, durationMs }: RunEnd): AiSdkChunk[] {
  const messageMetadata = { usage, durationMs };
  switch (outcome) {
    case 'completed':
      return [{ type: 'finish', finishReason: 'stop', messageMetadata }];
    case 'awaiting-approval':
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

function without(steps: readonly string[], stepId: string): readonly string[] {
  return steps.filter((open) => open !== stepId);
}
