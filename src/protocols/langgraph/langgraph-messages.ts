import { splitText } from '../../events/message-order.js';
import type { FileFacts, PlacedFile } from '../../events/message-part.js';
import type { FinishReason, Usage } from '../../events/run-event.js';
import type { EntryPart, TranscriptEntry } from '../transcript/transcript-entries.js';
import type { Transcript } from '../transcript/transcript.js';
import type {
  FileBlock,
  LangGraphMessage,
  MessageBlock,
  StateValues,
  UsageMetadata,
} from './langgraph-events.js';

/** As the models behind LangChain call it. */
export const REASONS = {
  length: 'length',
  'content-filter': 'content_filter',
  refusal: 'refusal',
  empty: 'stop',
} as const satisfies Record<FinishReason, string>;

/** Returns the state of a graph as its clients have it. */
export function toValues({ state, entries }: Pick<Transcript, 'state' | 'entries'>): StateValues {
  return { ...state, messages: entries.map(toLangGraphMessage) };
}

/** A message as a LangGraph state has it. */
export function toLangGraphMessage(entry: TranscriptEntry): LangGraphMessage {
  const { id } = entry;
  if ('original' in entry) return entry.original as LangGraphMessage;
  switch (entry.kind) {
    case 'user':
      return { type: 'human', id, content: toQuestion(entry.text, entry.files) };
    case 'assistant': {
      const { text = '', calls, finishReason, usage, subagent, parts } = entry;
      const tool_calls = calls.map(({ toolCallId, toolName, input }) => ({
        type: 'tool_call' as const,
        id: toolCallId,
        name: toolName,
        args: toArgs(input),
      }));
      return {
        type: 'ai',
        id,
        content: parts ? toBlocks(text, parts) : text,
        ...(subagent && { name: subagent.name }),
        ...(tool_calls.length > 0 && { tool_calls }),
        ...(finishReason && { response_metadata: { finish_reason: REASONS[finishReason] } }),
        ...(usage && { usage_metadata: toUsageMetadata(usage) }),
      };
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

function toQuestion(text: string, files: readonly PlacedFile[] | undefined) {
  if (!files) return text;
  return splitText(text, files).map((piece) =>
    'text' in piece ? ({ type: 'text', text: piece.text } as const) : toFileBlock(piece.file),
  );
}

/** Returns the blocks of a message that has more than text, as LangChain 1.0 writes them. */
export function toBlocks(text: string, parts: readonly EntryPart[]): MessageBlock[] {
  const annotations = parts.flatMap((part) => {
    if (part.kind !== 'source') return [];
    const { url, title, quote } = part;
    const named = { ...(url && { url }), ...(title && { title }), ...(quote && { citedText: quote }) };
    return [{ type: 'citation', ...named } as const];
  });
  const isText = text !== '' || annotations.length > 0;
  return [
    ...(isText ? [{ type: 'text', text, ...(annotations.length > 0 && { annotations }) } as const] : []),
    ...parts.flatMap((part) => (part.kind === 'file' ? [toFileBlock(part)] : [])),
  ];
}

const MEDIA = new Set(['image', 'audio', 'video']);

function toFileBlock({ mediaType, name, url, fileId, bytes, omitted }: FileFacts): FileBlock {
  const [family = ''] = mediaType.split('/');
  const metadata = { ...(name && { name }), ...(bytes && { bytes }), ...(omitted && { omitted }) };
  return {
    type: MEDIA.has(family) ? (family as 'image') : 'file',
    mimeType: mediaType,
    ...(url ? { url } : { ...(fileId && { fileId }) }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
}

/** The tokens of a message as LangChain writes them down. */
export function toUsageMetadata(usage: Usage): UsageMetadata {
  const { cachedInputTokens: cache_read, cacheWriteInputTokens: cache_creation, reasoningTokens } = usage;
  const input = {
    ...(cache_read !== undefined && { cache_read }),
    ...(cache_creation !== undefined && { cache_creation }),
  };
  return {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    total_tokens: usage.totalTokens,
    ...(Object.keys(input).length > 0 && { input_token_details: input }),
    ...(reasoningTokens !== undefined && { output_token_details: { reasoning: reasoningTokens } }),
  };
}

/** A call's input as clients of LangChain take it: always an object. A value that is not an object, as some tools expose it, is wrapped in one. */
export function toArgs(input: unknown): object {
  if (input === undefined || input === null) return {};
  return typeof input === 'object' && !Array.isArray(input) ? input : { input };
}
