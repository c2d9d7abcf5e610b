import type { ApprovalPart, RunView, ToolPart, ViewPart } from '../../events/run-view.js';
import type { ThreadMessage } from '../../runs/thread.service.js';
import { contentOf } from '../transcript/transcript.js';
import type { FinishMetadata, StartMetadata } from './ai-sdk.chunks.js';

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
  readonly providerExecuted: true;
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
 * What was said in a thread, for a chat to begin with: the messages that its streams have made, under the same ids. The answer
 * of a run that goes on is left out, because resuming tells it from its start.
 */
export function toAiSdkMessages(threadId: string, said: readonly ThreadMessage[]): AiSdkMessage[] {
  const messages = new Map<string, AiSdkMessage>();
  for (const message of said) {
    const { id, role } = message;
    if (role === 'user') {
      messages.set(id, { id, role, parts: [{ type: 'text', text: message.text, state: 'done' }] });
    } else if (hasEnded(message.view)) {
      const { view } = message;
      const parts = goingOn(messages.get(id)?.parts ?? [], partsOfRun(view));
      messages.set(id, { id, role, metadata: metadataOf(threadId, view), parts });
    } else {
      messages.delete(id);
    }
  }
  // What waited for an answer waits no more once something was said behind it.
  return [...messages.values()].map((message, index) =>
    index === messages.size - 1 ? message : { ...message, parts: goingOn(message.parts, []) },
  );
}

function hasEnded({ status }: RunView): boolean {
  return status !== 'pending' && status !== 'running';
}

function metadataOf(threadId: string, { runId, agent, usage, durationMs }: RunView) {
  return {
    runId,
    threadId,
    ...(agent !== undefined && { agent }),
    ...(usage && { usage }),
    ...(durationMs !== undefined && { durationMs }),
  };
}

/** A run that continues another one goes on in its message, where the calls that were asked about keep their places. */
function goingOn(earlier: readonly AiSdkPart[], later: readonly AiSdkPart[]): AiSdkPart[] {
  const made = new Map(later.filter(isCall).map((call) => [call.toolCallId, call]));
  const asked = new Set(earlier.filter(isCall).map(({ toolCallId }) => toolCallId));
  return [
    ...earlier.map((part) => (isCall(part) ? decided(part, made.get(part.toolCallId)) : part)),
    ...later.filter((part) => !isCall(part) || !asked.has(part.toolCallId)),
  ];
}

function isCall(part: AiSdkPart): part is CallPart {
  return part.type === 'dynamic-tool';
}

/** What came of a call that somebody was asked about. */
function decided(asked: CallPart, made: CallPart | undefined): CallPart {
  const { approval, ...call } = asked;
  if (!approval || !WAITING.has(asked.state)) return asked;
  if (approval.approved === false) return { ...asked, state: 'output-denied' };
  if (!made) return { ...call, ...NOT_MADE };
  return { ...made, approval };
}

const WAITING: ReadonlySet<CallPart['state']> = new Set(['approval-requested', 'approval-responded']);

const NOT_MADE = { state: 'output-error', errorText: 'The call was not made.' } as const;

/** What was asked of a person is gone with a run that ended otherwise than waiting. */
function partsOfRun({ status, parts }: RunView): AiSdkPart[] {
  const own = parts.flatMap(partsOf);
  return status === 'awaiting-approval' ? own : goingOn(own, []);
}

function partsOf(part: ViewPart): AiSdkPart[] {
  switch (part.kind) {
    case 'text':
    case 'reasoning':
      return [{ type: part.kind, text: part.text, state: part.open ? 'streaming' : 'done' }];
    case 'tool':
      return [{ ...callOf(part), ...outcomeOf(part) }, ...progressOf(part)];
    case 'approval':
      return [{ ...callOf(part), ...requestOf(part) }];
    case 'custom':
      return [{ type: `data-${part.name}`, data: part.data }];
    default:
      return part satisfies never;
  }
}

function callOf({ toolCallId, toolName, label: title, input = null }: ToolPart | ApprovalPart) {
  return { type: 'dynamic-tool', toolCallId, toolName, title, input, providerExecuted: true } as const;
}

function outcomeOf({ outcome, output = null, error }: ToolPart) {
  if (outcome === undefined) return { state: 'input-available' } as const;
  if (outcome === 'ok') return { state: 'output-available', output } as const;
  return { state: 'output-error', errorText: contentOf({ outcome, error }) } as const;
}

function progressOf({ toolCallId, progress }: ToolPart): DataPart[] {
  return progress ? [{ type: 'data-tool-progress', id: toolCallId, data: { toolCallId, ...progress } }] : [];
}

function requestOf({ approvalId: id, decision }: ApprovalPart) {
  if (decision === undefined) return { state: 'approval-requested', approval: { id } } as const;
  return { state: 'approval-responded', approval: { id, approved: decision !== 'deny' } } as const;
}
