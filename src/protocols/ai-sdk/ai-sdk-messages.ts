import { splitText } from '../../events/message-order.js';
import { describeCall } from '../../events/requested-input.js';
import type {
  ApprovalPart,
  ClientToolPart,
  ElicitationPart,
  InterruptPart,
  RunView,
  ToolPart,
  ViewPart,
} from '../../events/run-view.js';
import { isInsideCall } from '../../events/subagent.js';
import type { ThreadMessage } from '../../runs/thread.service.js';
import { toAddressElsewhere, type ToAddress } from '../../events/file-address.js';
import { toContent } from '../transcript/transcript-entries.js';
import {
  NOT_ANSWERED,
  toPartMetadata,
  toPersonPart,
  toQuestionCall,
  toStateChunks,
  toSubagentPart,
} from './ai-sdk-parts.js';
import type { FileChunk, FinishMetadata, OfSubagent, SourceChunk, StartMetadata } from './ai-sdk-chunks.js';
import { toFilePart } from './ai-sdk-files.js';

/** A UIMessage of the AI SDK, as far as a thread's messages use it. */
export interface AiSdkMessage {
  readonly id: string;
  readonly role: 'user' | 'assistant';
  readonly metadata?: Partial<StartMetadata & FinishMetadata>;
  readonly parts: readonly AiSdkPart[];
}

export type AiSdkPart = WordsPart | FileChunk | SourceChunk | CallPart | DataPart;

interface WordsPart {
  readonly type: 'text' | 'reasoning';
  readonly text: string;
  readonly state: 'streaming' | 'done';
  readonly providerMetadata?: OfSubagent;
}

interface CallPart {
  readonly type: 'dynamic-tool';
  readonly toolCallId: string;
  readonly toolName: string;
  readonly title: string;
  readonly input: unknown;
  /** Absent where the client runs it. */
  readonly providerExecuted?: true;
  readonly state:
    | 'input-available'
    | 'output-available'
    | 'output-error'
    | 'output-denied'
    | 'approval-requested'
    | 'approval-responded';
  readonly output?: unknown;
  readonly errorText?: string;
  readonly approval?: { readonly id: string; readonly approved?: boolean };
  readonly callProviderMetadata?: OfSubagent;
}

interface DataPart {
  readonly type: `data-${string}`;
  readonly id?: string;
  readonly data: unknown;
}

/**
 * Returns the messages of a thread for a chat to begin with: the messages that its streams have made, under the same ids. The answer
 * of a run that goes on is left out, because resuming tells it from its start.
 */
export function toAiSdkMessages(
  threadId: string,
  threadMessages: readonly ThreadMessage[],
  toAddress: ToAddress = toAddressElsewhere,
): AiSdkMessage[] {
  const messages = new Map<string, AiSdkMessage>();
  for (const message of threadMessages) {
    const { id, role } = message;
    if (role === 'user') {
      messages.set(id, { id, role, parts: toQuestionParts(message, toAddress) });
    } else if (hasEnded(message.view)) {
      const { view } = message;
      const parts = isContinued(messages.get(id)?.parts ?? [], toRunParts(view, toAddress));
      messages.set(id, { id, role, metadata: toMetadata(threadId, view), parts });
    } else {
      messages.delete(id);
    }
  }
  // What waited for an answer waits no more once something was said behind it.
  return [...messages.values()].map((message, index) =>
    index === messages.size - 1 ? message : { ...message, parts: isContinued(message.parts, []) },
  );
}

function toQuestionParts(
  { text, files = [] }: Extract<ThreadMessage, { readonly role: 'user' }>,
  toAddress: ToAddress,
): AiSdkPart[] {
  const parts = splitText(text, files).flatMap((piece): AiSdkPart[] => {
    if ('text' in piece) return [{ type: 'text', text: piece.text, state: 'done' }];
    const { mediaType, name, ...place } = piece.file;
    const url = toAddress(place);
    return url === undefined ? [] : [{ type: 'file', mediaType, url, ...(name && { filename: name }) }];
  });
  return parts.length > 0 ? parts : [{ type: 'text', text, state: 'done' }];
}

function hasEnded({ status }: RunView): boolean {
  return status !== 'pending' && status !== 'running';
}

function toMetadata(threadId: string, { runId, agent, usage, durationMs }: RunView) {
  return {
    runId,
    threadId,
    ...(agent !== undefined && { agent }),
    ...(usage && { usage }),
    ...(durationMs !== undefined && { durationMs }),
  };
}

/** A run that continues another one goes on in its message, where the calls that were asked about keep their places. */
function isContinued(earlier: readonly AiSdkPart[], later: readonly AiSdkPart[]): AiSdkPart[] {
  const made = new Map(later.filter(isCall).map((call) => [call.toolCallId, call]));
  // A state has one part in its message.
  const state = later.find(isState);
  const had = earlier.some(isState);
  const asked = new Set(earlier.filter(isCall).map(({ toolCallId }) => toolCallId));
  return [
    ...earlier.map((part) =>
      isCall(part) ? decided(part, made.get(part.toolCallId)) : isState(part) ? (state ?? part) : part,
    ),
    ...later.filter((part) => (isCall(part) ? !asked.has(part.toolCallId) : !(had && isState(part)))),
  ];
}

function isState(part: AiSdkPart): boolean {
  return part.type === 'data-state' && 'id' in part;
}

function isCall(part: AiSdkPart): part is CallPart {
  return part.type === 'dynamic-tool';
}

/** Returns the result of a call that a person was asked about. */
function decided(asked: CallPart, made: CallPart | undefined): CallPart {
  const { approval, ...call } = asked;
  const isOurs = asked.providerExecuted === true;
  if (isOurs ? !approval || !WAITING.has(asked.state) : asked.state !== 'input-available') return asked;
  if (approval?.approved === false) return { ...asked, state: 'output-denied' };
  if (!made) return { ...call, ...NOT_MADE };
  return { ...made, ...(approval && { approval }) };
}

const WAITING: ReadonlySet<CallPart['state']> = new Set(['approval-requested', 'approval-responded']);

const NOT_MADE = { state: 'output-error', errorText: 'The call was not made.' } as const;

/** Drops the questions of a run that has ended without waiting for an answer. */
function toRunParts(view: RunView, toAddress: ToAddress): AiSdkPart[] {
  const { runId, status, parts } = view;
  const own = [...toStateChunks(view), ...parts.flatMap((part) => toParts(part, runId, toAddress))];
  return status === 'awaiting-input' ? own : isContinued(own, []);
}

function toParts(part: ViewPart, runId: string, toAddress: ToAddress): AiSdkPart[] {
  switch (part.kind) {
    case 'text':
    case 'reasoning':
      if (isInsideCall(part)) return [toSubagentPart(part, runId)];
      return [
        {
          type: part.kind,
          text: part.text,
          state: part.open ? 'streaming' : 'done',
          ...toPartMetadata(part.subagent),
        },
      ];
    case 'file':
    case 'source':
      return [toFilePart(part, runId, toAddress)];
    case 'tool':
      return [{ ...toCall(part), ...toOutcome(part) }, ...toProgress(part)];
    case 'approval':
      return [{ ...toCall(part), ...toRequest(part) }];
    case 'client-tool': {
      const { providerExecuted: _, ...call } = toCall(part);
      return [{ ...call, state: 'input-available' }];
    }
    case 'interrupt':
    case 'elicitation':
      return [{ type: 'dynamic-tool', ...toQuestionCall(part), ...toAnswer(part) }];
    case 'person':
      return [toPersonPart(part)];
    case 'custom':
      return [{ type: `data-${part.name}`, data: part.data }];
    default:
      return part satisfies never;
  }
}

/** Returns the state of a question. The value of its answer is only in the record of the run. */
function toAnswer({ decision }: InterruptPart | ElicitationPart) {
  if (decision === undefined) return { state: 'input-available' } as const;
  if (decision === 'deny') return { state: 'output-error', errorText: NOT_ANSWERED } as const;
  return { state: 'output-available', output: null } as const;
}

function toCall(call: ToolPart | ApprovalPart | ClientToolPart) {
  const { toolCallId, toolName, input = null } = call;
  const title = call.kind === 'approval' ? describeCall(call) : call.label;
  const { providerMetadata } = toPartMetadata('subagent' in call ? call.subagent : undefined);
  return {
    type: 'dynamic-tool',
    toolCallId,
    toolName,
    title,
    input,
    providerExecuted: true,
    ...(providerMetadata && { callProviderMetadata: providerMetadata }),
  } as const;
}

function toOutcome({ outcome, output = null, error }: ToolPart) {
  if (outcome === undefined || outcome === 'awaiting-input') return { state: 'input-available' } as const;
  if (outcome === 'ok') return { state: 'output-available', output } as const;
  return { state: 'output-error', errorText: toContent({ outcome, error }) } as const;
}

function toProgress({ toolCallId, progress }: ToolPart): DataPart[] {
  return progress ? [{ type: 'data-tool-progress', id: toolCallId, data: { toolCallId, ...progress } }] : [];
}

function toRequest({ inputId: id, decision }: ApprovalPart) {
  if (decision === undefined) return { state: 'approval-requested', approval: { id } } as const;
  return { state: 'approval-responded', approval: { id, approved: decision !== 'deny' } } as const;
}
