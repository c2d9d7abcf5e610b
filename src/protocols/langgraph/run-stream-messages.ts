import type { RecordedEvent } from '../../events/recorded-event.js';
import { isCall } from '../../events/requested-input.js';
import {
  toMessageId,
  toResultId,
  type AssistantEntry,
  type TranscriptEntry,
} from '../transcript/transcript-entries.js';
import type { Transcript } from '../transcript/transcript.js';
import { toArgs, toBlocks, REASONS, toLangGraphMessage, toUsageMetadata } from './langgraph-messages.js';
import type { MessageChunk, ToolCallChunk } from './run-stream-chunks.js';

/**
 * A run's messages in pieces, as `messages-tuple` has them: clients join what comes under the same id, so nothing is said twice.
 * What a `step-reset` has changed is removed and said again as it now is.
 */
export class MessageChunks {
  constructor(private readonly transcript: Transcript) {}

  /** Applies the event to the transcript. @returns the pieces that it adds */
  map(recorded: RecordedEvent): MessageChunk[] {
    const { runId, event } = recorded;
    const { transcript } = this;
    switch (event.type) {
      case 'text-delta':
        transcript.apply(recorded);
        return [{ type: 'AIMessageChunk', id: toMessageId(runId, event.partId), content: event.delta }];
      case 'reasoning-delta': {
        transcript.apply(recorded);
        const content = [{ type: 'reasoning', reasoning: event.delta, index: 0 } as const];
        return [{ type: 'AIMessageChunk', id: toMessageId(runId, event.partId), content }];
      }
      case 'file':
      case 'source': {
        transcript.apply(recorded);
        return this.addPart(toMessageId(runId, event.partId));
      }
      case 'tool-start':
      case 'input-request': {
        if (event.type === 'input-request' && !isCall(event)) return [];
        const before = transcript.findCaller(event.toolCallId);
        transcript.apply(recorded);
        const caller = transcript.findCaller(event.toolCallId);
        if (!caller || caller === before) return [];
        // Announced before, with the approval that it waited for, and made with other input.
        if (before && caller.id === before.id) return this.repeat(before);
        return [
          {
            ...toCallChunks(caller, event.toolCallId),
            content: '',
            ...(before?.id !== caller.id && toResponseMetadata(caller)),
          },
        ];
      }
      case 'tool-end': {
        transcript.apply(recorded);
        const result = this.find(toResultId(runId, event.toolCallId));
        return result ? [toWhole(result)].flat() : [];
      }
      case 'usage': {
        const before = transcript.entries.findLast(({ kind }) => kind === 'assistant');
        transcript.apply(recorded);
        const after = before && this.find(before.id);
        if (after?.kind !== 'assistant' || after === before) return [];
        return [{ type: 'AIMessageChunk', id: after.id, content: '', ...toResponseMetadata(after) }];
      }
      case 'step-reset': {
        const before = [...transcript.entries];
        transcript.apply(recorded);
        return before.flatMap((entry) => this.repeat(entry));
      }
      default:
        transcript.apply(recorded);
        return [];
    }
  }

  find(id: string): TranscriptEntry | undefined {
    return this.transcript.entries.findLast((entry) => entry.id === id);
  }

  /** Lists the ids of the messages that a step of a run has spoken. */
  listSpoken(runId: string, stepId: string): string[] {
    return this.transcript.entries.flatMap((entry) =>
      (entry.kind === 'assistant' || entry.kind === 'reasoning') &&
      entry.stepId === stepId &&
      entry.runId === runId
        ? [entry.id]
        : [],
    );
  }

  /** Returns the piece that adds a file or a source to its message. Clients tell the pieces of a message apart by index. */
  private addPart(id: string): MessageChunk[] {
    const entry = this.transcript.entries.findLast(
      (each): each is AssistantEntry =>
        each.kind === 'assistant' && each.parts?.some((part) => part.id === id) === true,
    );
    const index = entry?.parts?.findIndex((part) => part.id === id) ?? -1;
    const part = entry?.parts?.[index];
    if (!entry || !part) return [];
    const content = toBlocks('', [part]).map((block) => ({ ...block, index: index + 1 }));
    return [{ type: 'AIMessageChunk', id: entry.id, content }];
  }

  private repeat(before: TranscriptEntry): MessageChunk[] {
    const now = this.find(before.id);
    if (now === before) return [];
    const removed = { type: 'remove', id: before.id, content: '' } as const;
    return now ? [removed, ...toWhole(now)] : [removed];
  }
}

function toWhole(entry: TranscriptEntry): MessageChunk[] {
  const message = toLangGraphMessage(entry);
  if (message.type === 'tool') return [message];
  // Neither what a person says nor reasoning changes in any other way than by its words.
  if (entry.kind !== 'assistant') return [];
  const { text = '', parts } = entry;
  const content = parts ? toBlocks(text, parts) : text;
  return [{ ...toCallChunks(entry), content, ...toResponseMetadata(entry) }];
}

/**
 * Returns the finish reason and the usage of the model call that wrote the message. Clients add up what comes under one id, so it is
 * said once.
 */
function toResponseMetadata({ finishReason, usage }: AssistantEntry) {
  return {
    ...(finishReason && { response_metadata: { finish_reason: REASONS[finishReason] } }),
    ...(usage && { usage_metadata: toUsageMetadata(usage) }),
  };
}

/** The message with this call, or with all that it makes. An index tells the calls of a message apart. */
function toCallChunks(
  { id, calls }: AssistantEntry,
  only?: string,
): Omit<Extract<MessageChunk, { type: 'AIMessageChunk' }>, 'content'> {
  const tool_call_chunks = calls.flatMap(({ toolCallId, toolName, input }, index): ToolCallChunk[] =>
    only === undefined || toolCallId === only
      ? [
          {
            type: 'tool_call_chunk',
            index,
            id: toolCallId,
            name: toolName,
            args: JSON.stringify(toArgs(input)),
          },
        ]
      : [],
  );
  return { type: 'AIMessageChunk', id, ...(tool_call_chunks.length > 0 && { tool_call_chunks }) };
}

/** True for the messages that a step has itself put into the state. */
export function isSpokenBy(stepId: string, entry: TranscriptEntry): boolean {
  return entry.kind !== 'user' && entry.stepId === stepId;
}

/** True for the messages of a step, and for those of others that it has called. */
export function isWrittenBy(stepId: string, entry: TranscriptEntry): boolean {
  if (entry.kind === 'user') return entry.origin?.stepId === stepId;
  return (
    entry.stepId === stepId ||
    (entry.kind === 'assistant' && entry.calls.some((call) => call.stepId === stepId))
  );
}
