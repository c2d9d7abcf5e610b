import { AIMessage, type MessageContent } from '@langchain/core/messages';
import type { ToolCall } from '@langchain/core/messages/tool';
import { renameGivenCalls } from './give-back.js';
import { withoutCallBlocks } from './message-content.js';

/** Returns the answer with other calls or words. What it is remembered by stays, as far as it is still true. */
export function rewriteAnswer(
  message: AIMessage,
  calls: readonly ToolCall[],
  content: MessageContent,
  id: string | undefined,
): AIMessage {
  // OpenAI's `output` and `reasoning` are the answer as it was, word for word, and would be sent in the place of this one.
  const {
    tool_calls: _calls,
    function_call: _call,
    reasoning: _thoughts,
    ...beside
  } = message.additional_kwargs;
  const { output: _output, ...metadata } = message.response_metadata as Record<string, unknown>;
  const { tool_calls: written = [] } = message;
  const isRenamed = calls.length !== written.length || calls.some((call, index) => call !== written[index]);
  const blocks = isRenamed ? withoutCallBlocks(content) : content;
  const idNow = (id: string) => calls[written.findIndex((call) => call.id === id)]?.id;
  return new AIMessage({
    content: blocks,
    tool_calls: [...calls],
    additional_kwargs: renameGivenCalls(beside, idNow),
    response_metadata: metadata,
    ...(id !== undefined && { id }),
    ...(message.name !== undefined && { name: message.name }),
    ...(message.usage_metadata && { usage_metadata: message.usage_metadata }),
  });
}
