import { AIMessage, HumanMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { isFilterReason, removeReasons } from './finish-reason.js';
import { rewriteAnswer } from './rewrite-answer.js';

/** Stands for what a person or a tool said, where the provider's filter refused to let the model read it. */
export const LEFT_OUT = '(This was left out: the content filter of the model provider refused it.)';
/** Stands for an answer that the provider's filter stopped. */
export const FILTERED = '(The content filter of the model provider stopped this answer.)';

/**
 * Returns the conversation without what a provider's filter has refused, for it would refuse every later request that holds it. Pure, and the same
 * array when there is nothing to leave out. An answer that was stopped by a filter loses its words, and everything that the model read for the first
 * time in that call goes with it: the question, or the results of the calls before.
 */
export function leaveOutFiltered(messages: readonly BaseMessage[]): readonly BaseMessage[] {
  let result = messages;
  for (const [index, message] of messages.entries()) {
    if (!AIMessage.isInstance(message) || !wasFiltered(message)) continue;
    const calls = message.tool_calls ?? [];
    // A call in it was made, and is answered to what was asked.
    if (calls.length === 0) result = leaveOutBefore(result, index);
    const answer = rewriteAnswer(message, calls, calls.length > 0 ? '' : FILTERED, message.id);
    // What it says now was not filtered.
    for (const beside of [answer.additional_kwargs, answer.response_metadata]) removeReasons(beside);
    result = result.with(index, answer);
  }
  return result;
}

/** Returns the conversation without what the model was to read for the first time in a call that a filter refused: all behind its last answer. */
export function leaveOutNewest(messages: readonly BaseMessage[]): readonly BaseMessage[] {
  return leaveOutBefore(messages, messages.length);
}

/** True if a provider's filter stopped this answer, and not the model itself. */
export function wasFiltered({ additional_kwargs, response_metadata }: AIMessage): boolean {
  return isFilterReason({ ...additional_kwargs, ...response_metadata });
}

function leaveOutBefore(messages: readonly BaseMessage[], end: number): readonly BaseMessage[] {
  let result = messages;
  for (let index = end - 1; index >= 0; index -= 1) {
    const message = messages[index];
    if (message === undefined || AIMessage.isInstance(message)) break;
    const blank = toBlank(message);
    if (blank !== message) result = result.with(index, blank);
  }
  return result;
}

function toBlank(message: BaseMessage): BaseMessage {
  const { id, name } = message;
  if (message.content === LEFT_OUT) return message;
  const kept = { content: LEFT_OUT, ...(id !== undefined && { id }), ...(name !== undefined && { name }) };
  if (HumanMessage.isInstance(message)) return new HumanMessage(kept);
  if (!ToolMessage.isInstance(message)) return message;
  const { tool_call_id, status } = message;
  return new ToolMessage({ ...kept, tool_call_id, ...(status && { status }) });
}
