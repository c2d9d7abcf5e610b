import type { RecordedEvent } from '../../events/recorded-event.js';
import {
  messageIdOf,
  resultIdOf,
  type AssistantEntry,
  type Transcript,
  type TranscriptEntry,
} from '../transcript/transcript.js';
import { argsOf, toLangGraphMessage } from './langgraph.messages.js';
import type { MessageChunk, ToolCallChunk } from './run-stream.chunks.js';

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
        return [{ type: 'AIMessageChunk', id: messageIdOf(runId, event.partId), content: event.delta }];
      case 'reasoning-delta': {
        transcript.apply(recorded);
        const content = [{ type: 'reasoning', reasoning: event.delta, index: 0 } as const];
        return [{ type: 'AIMessageChunk', id: messageIdOf(runId, event.partId), content }];
      }
      case 'tool-start':
      case 'approval-request': {
        const before = transcript.callerOf(event.toolCallId);
        transcript.apply(recorded);
        const caller = transcript.callerOf(event.toolCallId);
        if (!caller || caller === before) return [];
        // Announced before, with the approval that it waited for, and made with other input.
        if (before && caller.id === before.id) return this.again(before);
        return [{ ...callsOf(caller, event.toolCallId), content: '' }];
      }
      case 'tool-end': {
        transcript.apply(recorded);
        const result = this.find(resultIdOf(runId, event.toolCallId));
        return result ? [wholeOf(result)].flat() : [];
      }
      case 'step-reset': {
        const before = [...transcript.entries];
        transcript.apply(recorded);
        return before.flatMap((entry) => this.again(entry));
      }
      default:
        transcript.apply(recorded);
        return [];
    }
  }

  find(id: string): TranscriptEntry | undefined {
    return this.transcript.entries.findLast((entry) => entry.id === id);
  }

  private again(before: TranscriptEntry): MessageChunk[] {
    const now = this.find(before.id);
    if (now === before) return [];
    const removed = { type: 'remove', id: before.id, content: '' } as const;
    return now ? [removed, ...wholeOf(now)] : [removed];
  }
}

function wholeOf(entry: TranscriptEntry): MessageChunk[] {
  const message = toLangGraphMessage(entry);
  if (message.type === 'tool') return [message];
  // Neither what a person says nor reasoning changes in any other way than by its words.
  if (entry.kind !== 'assistant') return [];
  return [{ ...callsOf(entry), content: entry.text ?? '' }];
}

/** The message with this call, or with all that it makes. An index tells the calls of a message apart. */
function callsOf(
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
            args: JSON.stringify(argsOf(input)),
          },
        ]
      : [],
  );
  return { type: 'AIMessageChunk', id, ...(tool_call_chunks.length > 0 && { tool_call_chunks }) };
}
