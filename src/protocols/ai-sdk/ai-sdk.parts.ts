import type { ApprovalAnswer } from '../../events/approval.js';
import type { PublicError, ToolOutcome } from '../../events/run-event.js';
import type { ToolPart, ViewPart } from '../../events/run-view.js';
import type { AiSdkChunk, ToolInput } from './ai-sdk.chunks.js';

/** What was decided on the calls that the run before this one stopped for, by tool call id. The client has a part of each. */
export type DecidedCalls = ReadonlyMap<string, ApprovalAnswer['decision']>;

/** Everything that has been said of a part, in as few chunks as it takes: for a client that has to be told again. */
export function chunksOfPart(part: ViewPart, decided: DecidedCalls): AiSdkChunk[] {
  switch (part.kind) {
    case 'text':
    case 'reasoning': {
      const { kind, partId: id, text, open } = part;
      return [
        { type: `${kind}-start`, id },
        { type: `${kind}-delta`, id, delta: text },
        ...(open ? [] : [{ type: `${kind}-end`, id } as const]),
      ];
    }
    case 'tool':
      return [
        ...toolBegin(part, decided),
        ...(part.progress ? [toolProgress(part)] : []),
        ...(part.outcome ? [toolOutput({ ...part, outcome: part.outcome }, decided)] : []),
      ];
    case 'approval':
      return [
        toolInput(part),
        { type: 'tool-approval-request', approvalId: part.approvalId, toolCallId: part.toolCallId },
      ];
    case 'custom':
      return [{ type: `data-${part.name}`, data: part.data }];
    default:
      return part satisfies never;
  }
}

interface Call {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly label: string;
  readonly input?: unknown;
}

/**
 * A call begins. One that was asked for before has its part, in a step that is over, where nothing but its output can change: of
 * other arguments than those that were shown tells a part of its own.
 */
export function toolBegin(call: Call, decided: DecidedCalls): AiSdkChunk[] {
  const { toolCallId, input } = call;
  const decision = decided.get(toolCallId);
  if (decision === undefined) return [toolInput(call)];
  if (decision !== 'edit' || input === undefined) return [];
  return [{ type: 'data-tool-input', id: toolCallId, data: { toolCallId, input } }];
}

/** A call, with as much of its input as the tool exposes. */
export function toolInput(call: Call): ToolInput {
  const { toolCallId, toolName, label: title, input = null } = call;
  return {
    type: 'tool-input-available',
    toolCallId,
    toolName,
    input,
    title,
    dynamic: true,
    providerExecuted: true,
  };
}

/** The latest progress of a call: under the call's id, so that it replaces the one before. */
export function toolProgress({
  toolCallId,
  progress,
}: Pick<ToolPart, 'toolCallId' | 'progress'>): AiSdkChunk {
  return { type: 'data-tool-progress', id: toolCallId, data: { toolCallId, ...progress } };
}

/** How a call ended. */
export function toolOutput(
  end: {
    readonly toolCallId: string;
    readonly outcome: ToolOutcome;
    readonly output?: unknown;
    readonly error?: PublicError;
  },
  decided: DecidedCalls,
): AiSdkChunk {
  const { toolCallId, outcome, output = null, error } = end;
  // However it ends: it was never made. What nobody was asked about may be denied too, and has no approval that could tell.
  if (decided.get(toolCallId) === 'deny') return { type: 'tool-output-denied', toolCallId };
  // `output` may not be missing, though it may be null.
  if (outcome === 'ok') return { type: 'tool-output-available', toolCallId, output };
  return {
    type: 'tool-output-error',
    toolCallId,
    errorText: error?.message ?? `The call ended: ${outcome}.`,
  };
}
