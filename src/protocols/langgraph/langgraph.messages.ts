import type { TranscriptEntry } from '../transcript/transcript.js';
import type { LangGraphMessage } from './langgraph.events.js';

/** A message as a LangGraph state has it. */
export function toLangGraphMessage(entry: TranscriptEntry): LangGraphMessage {
  const { id } = entry;
  switch (entry.kind) {
    case 'user':
      return { type: 'human', id, content: entry.text };
    case 'assistant': {
      const { text = '', calls } = entry;
      const tool_calls = calls.map(({ toolCallId, toolName, input }) => ({
        type: 'tool_call' as const,
        id: toolCallId,
        name: toolName,
        args: argsOf(input),
      }));
      return { type: 'ai', id, content: text, ...(tool_calls.length > 0 && { tool_calls }) };
    }
    case 'reasoning':
      return { type: 'ai', id, content: [{ type: 'reasoning', reasoning: entry.text }] };
    case 'result':
      return {
        type: 'tool',
        id,
        tool_call_id: entry.toolCallId,
        name: entry.toolName,
        content: entry.content,
        status: entry.outcome === 'ok' ? 'success' : 'error',
      };
    default:
      return entry satisfies never;
  }
}

/** A call's input as clients of LangChain take it: always an object. What is no object, as some tools expose it, stands in one. */
export function argsOf(input: unknown): object {
  if (input === undefined || input === null) return {};
  return typeof input === 'object' && !Array.isArray(input) ? input : { input };
}
