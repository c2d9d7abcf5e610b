import {
  describeCall,
  describeRequest,
  type InputAnswer,
  type RequestedInput,
  type RequestedQuestion,
} from '../../events/requested-input.js';
import type { PublicError, ToolOutcome } from '../../events/run-event.js';
import type { RunState } from '../../events/run-state.js';
import type { ToolPart, ViewPart } from '../../events/run-view.js';
import type { AiSdkChunk, ToolInput } from './ai-sdk-chunks.js';

/** Decisions on the calls that the run before this one stopped for, by tool call id. The client has a part of each. */
export type DecidedCalls = ReadonlyMap<string, InputAnswer['decision']>;

/** Everything that has been said of a part, in as few chunks as it takes: for a client that has to be told again. */
export function replayPart(part: ViewPart, decided: DecidedCalls): AiSdkChunk[] {
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
        ...(part.outcome && part.outcome !== 'awaiting-input'
          ? [toolOutput({ ...part, outcome: part.outcome }, decided)]
          : []),
      ];
    case 'approval':
    case 'client-tool':
    case 'interrupt':
    case 'elicitation':
      return toRequestChunks(part);
    case 'custom':
      return [{ type: `data-${part.name}`, data: part.data }];
    default:
      return part satisfies never;
  }
}

/** Returns the chunk for the state: under one id, so that it replaces the one before. */
export function toStateChunks(state: RunState | undefined) {
  return state ? [{ type: 'data-state', id: 'state', data: state } as const] : [];
}

/**
 * Returns the chunks that ask for an input. The client runs a tool of its own and sends the result; for a question of the graph or
 * of an MCP server the SDK has no word: it is a part of data, and is answered by the native route.
 */
export function toRequestChunks(request: RequestedInput): AiSdkChunk[] {
  switch (request.kind) {
    case 'approval': {
      const { inputId: approvalId, toolCallId } = request;
      return [toolInput(request), { type: 'tool-approval-request', approvalId, toolCallId }];
    }
    case 'client-tool': {
      const { providerExecuted: _, ...call } = toolInput(request);
      return [call];
    }
    case 'interrupt':
    case 'elicitation': {
      const { inputId } = request;
      return [{ type: 'data-input-request', id: inputId, data: toQuestion(request) }];
    }
    default:
      // A newer instance may have recorded what this one does not know.
      request satisfies never;
      return [];
  }
}

/** A question that is not about a call, as data. */
export function toQuestion(request: RequestedQuestion): unknown {
  const { inputId, kind, schema, expiresAt } = request;
  return {
    inputId,
    kind,
    message: describeRequest(request),
    ...(request.kind === 'interrupt' && { value: request.value }),
    ...(schema && { schema }),
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

interface Call {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly label: string;
  readonly input?: unknown;
  /** Of a call that a person has to decide on. */
  readonly reason?: string;
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
  const { toolCallId, toolName, input = null } = call;
  const title = describeCall(call);
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

/** Returns the chunk for the outcome of a call. */
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
  // However it ends: it was never made. Calls without an approval may be denied too.
  if (decided.get(toolCallId) === 'deny') return { type: 'tool-output-denied', toolCallId };
  // `output` may not be missing, though it may be null.
  if (outcome === 'ok') return { type: 'tool-output-available', toolCallId, output };
  return {
    type: 'tool-output-error',
    toolCallId,
    errorText: error?.message ?? `The call ended: ${outcome}.`,
  };
}
