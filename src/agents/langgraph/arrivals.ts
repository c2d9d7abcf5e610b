import { AIMessageChunk, BaseMessage, ToolMessage, type AIMessage } from '@langchain/core/messages';
import { cutText } from './cut-text.js';
import { adoptModelMessage } from './repair-history.js';
import { withReadableCalls } from './unreadable-calls.js';
import { toWellFormed } from './well-formed.js';

/** About 30,000 tokens. What is longer makes the next model call, and every later one in the thread, too long. */
export const DEFAULT_RESULT_MAX_BYTES = 128 * 1024;

/**
 * Makes an answer fit for the conversation that it goes into: its calls are told apart from all before, and those that were cut off say so. It is
 * changed in place, for the graph that has asked the model holds it already.
 *
 * @param history everything that the conversation has so far
 */
export function receiveAnswer(answer: AIMessage, history: readonly BaseMessage[]): void {
  const adopted = adoptModelMessage(withReadableCalls(answer), history);
  if (adopted === answer) return;
  const { content, tool_calls, additional_kwargs, response_metadata, id } = adopted;
  const fields = { content, tool_calls, invalid_tool_calls: [], additional_kwargs, response_metadata, id };
  Object.assign(answer, fields);
  // A message is stored by what it was made of.
  Object.assign(answer.lc_kwargs, fields);
  if (AIMessageChunk.isInstance(answer)) {
    answer.tool_call_chunks = [];
    answer.lc_kwargs['tool_call_chunks'] = [];
  }
}

/** Makes a result fit for the conversation, in place: well-formed, and no longer than `maxBytes` of text. */
export function receiveResult(result: ToolMessage, maxBytes: number): void {
  const { content } = result;
  const kept = toWellFormed(
    typeof content === 'string' ? cutText(content, maxBytes) : cutBlocks(content, maxBytes),
  );
  if (kept === content) return;
  result.content = kept;
  result.lc_kwargs['content'] = kept;
}

function cutBlocks(
  blocks: Exclude<ToolMessage['content'], string>,
  maxBytes: number,
): Exclude<ToolMessage['content'], string> {
  let left = maxBytes;
  const cut = blocks.map((block) => {
    if (block.type !== 'text' || typeof block.text !== 'string') return block;
    const text = cutText(block.text, Math.max(0, left));
    left -= Buffer.byteLength(block.text);
    return text === block.text ? block : { ...block, text };
  });
  return cut.every((block, index) => block === blocks[index]) ? blocks : cut;
}

/** The results in what a node returned. */
export function listResults(outputs: unknown): ToolMessage[] {
  return listMessages(outputs).filter((message) => ToolMessage.isInstance(message));
}

/** The messages in what a node returned: a state update, a Command with one, or messages by themselves. */
function listMessages(outputs: unknown): BaseMessage[] {
  if (Array.isArray(outputs)) return outputs.flatMap((output: unknown) => listMessages(output));
  if (BaseMessage.isInstance(outputs)) return [outputs];
  if (typeof outputs !== 'object' || outputs === null) return [];
  if ('update' in outputs) return listMessages(outputs.update);
  return 'messages' in outputs ? listMessages(outputs.messages) : [];
}
