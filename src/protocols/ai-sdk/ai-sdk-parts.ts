import {
  describeCall,
  describeRequest,
  type InputAnswer,
  type RequestedInput,
  type RequestedQuestion,
} from '../../events/requested-input.js';
import type { InputAnswered, MessagePut, PublicError, ToolOutcome } from '../../events/run-event.js';
import type {
  PersonPart,
  ReasoningPart,
  RunView,
  TextPart,
  ToolPart,
  ViewPart,
} from '../../events/run-view.js';
import { isInsideCall, type Subagent } from '../../events/subagent.js';
import type { ToAddress } from '../../events/file-address.js';
import { QUESTION_TOOL } from '../question-tool.js';
import { toMessageId } from '../transcript/transcript-entries.js';
import type { AiSdkChunk, OfSubagent, ToolInput } from './ai-sdk-chunks.js';
import { toFilePart } from './ai-sdk-files.js';

/** Decisions on the calls that the run before this one stopped for, by tool call id. The client has a part of each. */
export type DecidedCalls = ReadonlyMap<string, InputAnswer['decision']>;

/** Everything that has been said of a part, in as few chunks as it takes: for a client that has to be told again. */
export function replayPart(
  part: ViewPart,
  runId: string,
  { decided, toAddress }: { readonly decided: DecidedCalls; readonly toAddress: ToAddress },
): AiSdkChunk[] {
  switch (part.kind) {
    case 'text':
    case 'reasoning': {
      if (isInsideCall(part)) return [toSubagentPart(part, runId)];
      const { kind, partId: id, text, open, subagent } = part;
      return [
        { type: `${kind}-start`, id, ...toPartMetadata(subagent) },
        { type: `${kind}-delta`, id, delta: text },
        ...(open ? [] : [{ type: `${kind}-end`, id } as const]),
      ];
    }
    case 'file':
    case 'source':
      return [toFilePart(part, runId, toAddress)];
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
    case 'person':
      return [toPersonPart(part)];
    case 'custom':
      return [{ type: `data-${part.name}`, data: part.data }];
    default:
      return part satisfies never;
  }
}

/** One that a graph has written in the person's name is part of its state only. */
export function toPersonChunks({ messageId, role, text, stepId }: MessagePut): AiSdkChunk[] {
  return role && text !== undefined && stepId === undefined ? [toPersonPart({ messageId, text })] : [];
}

/** Returns what a person has said in the middle of an answer, as data: the SDK has no message inside of a message. */
export function toPersonPart({ messageId: id, text }: Pick<PersonPart, 'messageId' | 'text'>) {
  return { type: 'data-user-message', data: { id, text } } as const;
}

/**
 * Returns what an agent has said that a tool calls, as data: the SDK would show a text as part of the answer. Empty until it is whole, because a part of
 * data replaces the one before.
 */
export function toSubagentPart(
  { partId, kind, text, subagent, open }: TextPart | ReasoningPart,
  runId: string,
) {
  const id = toMessageId(runId, partId);
  return { type: 'data-subagent', id, data: { kind, text: open ? '' : text, subagent } } as const;
}

export function toPartMetadata(subagent: Subagent | undefined): { readonly providerMetadata?: OfSubagent } {
  return subagent ? { providerMetadata: { agentStream: { subagent } } } : {};
}

/**
 * Returns the chunks for the state and for the keys left out of it. Each has a fixed id, so it replaces the one before.
 *
 * @param before the keys that the client was told; an empty list withdraws them
 */
export function toStateChunks(
  { state, omittedState: keys = [] }: ShownState,
  { omittedState: told = [] }: ShownState = {},
): StateChunk[] {
  if (!state) return [];
  return [
    { type: 'data-state', id: 'state', data: state },
    ...(keys.length + told.length === 0
      ? []
      : [{ type: 'data-state-omitted', id: 'state-omitted', data: { keys } } as const]),
  ];
}

type ShownState = Pick<RunView, 'state' | 'omittedState'>;

interface StateChunk {
  readonly type: `data-${string}`;
  readonly id: string;
  readonly data: unknown;
}

/**
 * Returns the chunks that ask for an input. The client runs a tool of its own and sends the result. For a question of the graph or of an
 * MCP server the SDK has no other word: it is a call whose result is the answer.
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
    case 'elicitation':
      return [{ type: 'tool-input-available', ...toQuestionCall(request), dynamic: true }];
    default:
      // A newer instance may have recorded what this one does not know.
      request satisfies never;
      return [];
  }
}

/** Returns a question as a call that the client makes. */
export function toQuestionCall(request: RequestedQuestion) {
  const title = describeRequest(request);
  const input = toQuestion(request);
  return { toolCallId: request.inputId, toolName: QUESTION_TOOL, title, input } as const;
}

/** Returns the chunk for the answer to a question, which another client may have given. */
export function answerQuestion(
  { inputId: toolCallId, decision }: Pick<InputAnswered, 'inputId' | 'decision'>,
  value: unknown = null,
): AiSdkChunk {
  if (decision === 'deny') return { type: 'tool-output-error', toolCallId, errorText: NOT_ANSWERED };
  return { type: 'tool-output-available', toolCallId, output: value };
}

export const NOT_ANSWERED = 'The question was not answered.';

function toQuestion(request: RequestedQuestion): unknown {
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
  readonly subagent?: Subagent;
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
    ...toPartMetadata(call.subagent),
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
