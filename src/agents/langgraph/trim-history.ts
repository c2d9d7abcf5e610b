import { AIMessage, HumanMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { isTextType } from './accepted-files.js';
import { cutText } from './cut-text.js';
import { isFileBlock, type Block } from './file-blocks.js';

/** Bytes of text that make a token, about. */
const BYTES_PER_TOKEN = 4;
/** Tokens of an image with the most expensive provider. */
const IMAGE_TOKENS = 2_000;
/** Bytes of a PDF, and of other files, that make a token, about: a page takes some 50 KB and 2,000 tokens. */
const FILE_BYTES_PER_TOKEN = 25;
/** A result is not cut below this, or the model would learn nothing of it. */
const SHORTEST_RESULT_BYTES = 1_000;

/**
 * Returns the conversation without its oldest turns, as many as it takes to come below so many tokens. The last turn stays, with its results cut where
 * it alone is too long. Pure, and the same array when there is nothing to leave out. A turn begins with what a person said, so what is strict before
 * is strict after.
 */
export function trimHistory(messages: readonly BaseMessage[], maxTokens: number): readonly BaseMessage[] {
  const weights = messages.map(countTokens);
  let total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total <= maxTokens) return messages;
  const last = messages.findLastIndex((message) => HumanMessage.isInstance(message));
  let first = 0;
  while (total > maxTokens && first < last) {
    do total -= weights[first++] ?? 0;
    while (first < last && !HumanMessage.isInstance(messages[first]));
  }
  const kept = first === 0 ? messages : messages.slice(first);
  return total > maxTokens ? cutResults(kept, total - maxTokens) : kept;
}

/** Returns about how many tokens the messages are. */
export function estimateTokens(messages: readonly BaseMessage[]): number {
  return messages.reduce((sum, message) => sum + countTokens(message), 0);
}

function countTokens(message: BaseMessage): number {
  const { content } = message;
  const calls = AIMessage.isInstance(message) ? JSON.stringify(message.tool_calls ?? []).length : 0;
  const parts =
    typeof content === 'string' ? 0 : content.reduce((sum, block) => sum + countPartTokens(block), 0);
  return Math.ceil((Buffer.byteLength(message.text) + calls) / BYTES_PER_TOKEN) + parts;
}

function countPartTokens(block: Block): number {
  if (block.type.startsWith('image')) return IMAGE_TOKENS;
  if (!isFileBlock(block)) return 0;
  const { bytes = 0 } = block.metadata;
  return Math.ceil(bytes / (isTextType(block.mimeType) ? BYTES_PER_TOKEN : FILE_BYTES_PER_TOKEN));
}

/** Cuts results, the longest first, until so many tokens are saved or none is long any more. */
function cutResults(messages: readonly BaseMessage[], tokens: number): readonly BaseMessage[] {
  let bytes = tokens * BYTES_PER_TOKEN;
  const cut = new Map<BaseMessage, ToolMessage>();
  const results = messages.filter((message) => ToolMessage.isInstance(message));
  const longest = results.toSorted((one, other) => other.text.length - one.text.length);
  for (const result of longest) {
    const { content, tool_call_id, name, status, id } = result;
    if (bytes <= 0 || typeof content !== 'string') continue;
    const size = Buffer.byteLength(content);
    const kept = Math.max(SHORTEST_RESULT_BYTES, size - bytes);
    if (kept >= size) continue;
    bytes -= size - kept;
    const shorter = new ToolMessage({
      tool_call_id,
      content: cutText(content, kept),
      ...(id !== undefined && { id }),
      ...(name !== undefined && { name }),
      ...(status && { status }),
    });
    cut.set(result, shorter);
  }
  return cut.size > 0 ? messages.map((message) => cut.get(message) ?? message) : messages;
}
