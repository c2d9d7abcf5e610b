import { describeCall } from '../../events/requested-input.js';
import type { ApprovalPart, ClientToolPart, RunView, ToolPart, ViewPart } from '../../events/run-view.js';
import type { ThreadMessage } from '../../runs/thread.service.js';
import { toContent } from '../transcript/transcript-entries.js';
import { toQuestion, toStateChunks } from './ai-sdk-parts.js';
import type { FinishMetadata, StartMetadata } from './ai-sdk-chunks.js';

/** A UIMessage of the AI SDK, as far as a thread's messages use it. */
export interface AiSdkMessage {
  readonly id: string;
  readonly role: 'user' | 'assistant';
  readonly metadata?: Partial<StartMetadata & FinishMetadata>;
  readonly parts: readonly AiSdkPart[];
}

export type AiSdkPart = WordsPart | CallPart | DataPart;

interface WordsPart {
  readonly type: 'text' | 'reasoning';
  readonly text: string;
  readonly state: 'streaming' | 'done';
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
export function toAiSdkMessages(threadId: string, threadMessages: readonly ThreadMessage[]): AiSdkMessage[] {
  const messages = new Map<string, AiSdkMessage>();
  for (const message of threadMessages) {
    const { id, role } = message;
    if (role === 'user') {
      messages.set(id, { id, role, parts: [{ type: 'text', text: message.text, state: 'done' }] });
    } else if (hasEnded(message.view)) {
      const { view } = message;
      const parts = isContinued(messages.get(id)?.parts ?? [], toRunParts(view));
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
function toRunParts({ status, parts, state }: RunView): AiSdkPart[] {
  const own = [...toStateChunks(state), ...parts.flatMap(toParts)];
  return status === 'awaiting-input' ? own : isContinued(own, []);
}

function toParts(part: ViewPart): AiSdkPart[] {
  switch (part.kind) {
    case 'text':
    case 'reasoning':
      return [{ type: part.kind, text: part.text, state: part.open ? 'streaming' : 'done' }];
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
      return [{ type: 'data-input-request', id: part.inputId, data: toQuestion(part) }];
    case 'custom':
      return [{ type: `data-${part.name}`, data: part.data }];
    default:
      return part satisfies never;
  }
}

function toCall(call: ToolPart | ApprovalPart | ClientToolPart) {
  const { toolCallId, toolName, input = null } = call;
  const title = call.kind === 'approval' ? describeCall(call) : call.label;
  return { type: 'dynamic-tool', toolCallId, toolName, title, input, providerExecuted: true } as const;
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
