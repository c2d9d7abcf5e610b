import type { MessageContent } from '@langchain/core/messages';
import { toWellFormed } from './well-formed.js';

/** Blocks of an answer that repeat its calls, which are written from `tool_calls` again. */
const CALL_BLOCKS = new Set([
  'tool_use',
  'input_json_delta',
  'tool_call',
  'tool_call_chunk',
  'function_call',
]);

/** Returns the content without what it repeats of the calls. */
export function withoutCallBlocks(content: MessageContent): MessageContent {
  return Array.isArray(content) ? content.filter(({ type }) => !CALL_BLOCKS.has(type)) : content;
}

/** Returns the content of an answer. One that calls tools needs no words. */
export function answerContent(
  content: MessageContent,
  isCalling: boolean,
  otherwise: string,
): MessageContent {
  if (!isCalling) return fillBlank(content, otherwise);
  return Array.isArray(content) ? withoutBlanks(content) : toWellFormed(content);
}

/** Returns the content, or `otherwise` where it has no words that a provider would take. */
export function fillBlank(content: MessageContent, otherwise: string): MessageContent {
  if (isBlankText(content)) return otherwise;
  if (!Array.isArray(content)) return toWellFormed(content);
  const kept = withoutBlanks(content);
  // Thoughts, and calls that are told elsewhere, are no words.
  const speaks = kept.some(({ type }) => !CALL_BLOCKS.has(type) && !/thinking|reasoning/.test(type));
  return speaks
    ? kept
    : [...kept.filter(({ type }) => !CALL_BLOCKS.has(type)), { type: 'text', text: otherwise }];
}

function withoutBlanks<Blocks extends Exclude<MessageContent, string>>(content: Blocks): Blocks {
  const kept = content.filter(
    (block) => !(block.type === 'text' && isBlankText(block.text)) && !isHalfThought(block),
  );
  return toWellFormed(kept.length === content.length ? content : (kept as Blocks));
}

/** A thought that was cut off has no signature yet, and Anthropic refuses one without. */
function isHalfThought(block: {
  readonly type: string;
  readonly signature?: unknown;
  readonly data?: unknown;
}) {
  if (block.type === 'thinking') return !block.signature;
  return block.type === 'redacted_thinking' && !block.data;
}

export function isBlankText(content: unknown): boolean {
  return content === undefined || content === null || (typeof content === 'string' && content.trim() === '');
}
