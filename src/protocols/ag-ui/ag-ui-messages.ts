import type { TranscriptEntry } from '../transcript/transcript-entries.js';
import type { AgUiMessage, AgUiToolCall } from './ag-ui-events.js';

/** A message as an AG-UI client keeps it. */
export function toAgUiMessage(entry: TranscriptEntry): AgUiMessage {
  const { id } = entry;
  switch (entry.kind) {
    case 'user':
      return { id, role: 'user', content: entry.text };
    case 'assistant': {
      const { text, calls } = entry;
      const toolCalls = calls.map((call): AgUiToolCall => ({
        id: call.toolCallId,
        type: 'function',
        function: { name: call.toolName, arguments: toArguments(call.input) },
      }));
      return {
        id,
        role: 'assistant',
        ...(text !== undefined && { content: text }),
        ...(toolCalls.length > 0 && { toolCalls }),
      };
    }
    case 'reasoning':
      return { id, role: 'reasoning', content: entry.text };
    case 'result':
      return { id, role: 'tool', toolCallId: entry.toolCallId, content: entry.content };
    default:
      return entry satisfies never;
  }
}

/** JSON: clients parse the arguments, also those of a tool that hides them. */
export function toArguments(input: unknown): string {
  return JSON.stringify(input ?? {});
}
