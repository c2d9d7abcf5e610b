import type { PublicError, ToolOutcome } from '../../events/run-event.js';
import type { ToolPart, ViewPart } from '../../events/run-view.js';
import type { AiSdkChunk, ToolInput } from './ai-sdk.chunks.js';

/** Everything that has been said of a part, in as few chunks as it takes: for a client that has to be told again. */
export function chunksOfPart(part: ViewPart): AiSdkChunk[] {
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
        toolInput(part),
        ...(part.progress ? [toolProgress(part)] : []),
        ...(part.outcome ? [toolOutput({ ...part, outcome: part.outcome })] : []),
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

/** A call, with as much of its input as the tool exposes. */
export function toolInput(call: {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly label: string;
  readonly input?: unknown;
}): ToolInput {
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
export function toolOutput(end: {
  readonly toolCallId: string;
  readonly outcome: ToolOutcome;
  readonly output?: unknown;
  readonly error?: PublicError;
}): AiSdkChunk {
  const { toolCallId, outcome, output = null, error } = end;
  // `output` may not be missing, though it may be null.
  if (outcome === 'ok') return { type: 'tool-output-available', toolCallId, output };
  return {
    type: 'tool-output-error',
    toolCallId,
    errorText: error?.message ?? `The call ended: ${outcome}.`,
  };
}
