import {
  AIMessage,
  HumanMessage,
  SystemMessage,
  ToolMessage,
  type BaseMessage,
} from '@langchain/core/messages';
import type { ToolCall } from '@langchain/core/messages/tool';
import { CallIds } from './call-ids.js';
import { answerContent, isBlankText, fillBlank } from './message-content.js';
import { rewriteAnswer } from './rewrite-answer.js';
import { toWellFormed } from './well-formed.js';

/** Stands where an assistant's message has nothing to say that a provider would take. */
export const NO_ANSWER = '(No answer.)';
/** Stands between results and the message of a person who did not wait for the answer: both are to be answered. */
export const ANSWER_TO_COME = '(The answer is still to come.)';
/** Stands for the result of a call that never got one. */
export const CANCELLED = 'The call was cancelled before it ended.';

const NO_RESULT = '(The tool returned nothing.)';
const NO_QUESTION = '(No words.)';

/**
 * Returns the conversation with everything mended that no provider takes, each thing in its place, and nothing else touched. Pure, and the same
 * array when there is nothing to mend:
 *
 * - every call has exactly one result, directly after it, in the order of the calls; results without a call are gone;
 * - ids of calls are unique in the conversation and not empty, names of calls are names, arguments are an object;
 * - no message is empty, and no text holds half of a surrogate pair.
 */
export function repairHistory(messages: readonly BaseMessage[]): readonly BaseMessage[] {
  const results = groupResults(messages);
  const ids = new CallIds(messages);
  const repaired: BaseMessage[] = [];
  for (const message of messages) {
    // Follows its call, or has none.
    if (ToolMessage.isInstance(message)) continue;
    if (!AIMessage.isInstance(message)) {
      repaired.push(toSendable(message));
      continue;
    }
    const { tool_calls: written = [] } = message;
    const calls = written.map((call) => repairCall(call, ids));
    repaired.push(repairModelMessage(message, calls));
    for (const [index, call] of calls.entries()) {
      repaired.push(repairResult(results.get(message)?.[index], call));
    }
  }
  const isSame =
    repaired.length === messages.length && repaired.every((message, index) => message === messages[index]);
  return isSame ? messages : repaired;
}

/** Returns what the model said, with ids that nothing in `history` has yet: calls and messages are told apart by them. */
export function adoptModelMessage(answer: AIMessage, history: readonly BaseMessage[]): AIMessage {
  const ids = new CallIds(history);
  for (const message of history) {
    if (AIMessage.isInstance(message)) message.tool_calls?.forEach(({ id }) => ids.take(id));
  }
  const { tool_calls: written = [] } = answer;
  const calls = written.map((call) => repairCall(call, ids));
  const isIdTaken = answer.id === '' || history.some(({ id }) => id !== undefined && id === answer.id);
  if (!isIdTaken && calls.every((call, index) => call === written[index])) return answer;
  return rewriteAnswer(answer, calls, answer.content, isIdTaken ? undefined : answer.id);
}

type Results = (ToolMessage | undefined)[];

/** Finds the result of each call: the first one after it with its id, unless an answer with a call of that id came between. */
function groupResults(messages: readonly BaseMessage[]): Map<BaseMessage, Results> {
  const found = new Map<BaseMessage, Results>();
  const open = new Map<string, { readonly results: Results; readonly index: number }[]>();
  for (const message of messages) {
    if (AIMessage.isInstance(message)) {
      const { tool_calls: calls = [] } = message;
      const results = calls.map((): ToolMessage | undefined => undefined);
      found.set(message, results);
      for (const { id } of calls) open.delete(id ?? '');
      for (const [index, { id }] of calls.entries()) {
        open.set(id ?? '', [...(open.get(id ?? '') ?? []), { results, index }]);
      }
    } else if (ToolMessage.isInstance(message)) {
      const slot = open.get(message.tool_call_id ?? '')?.shift();
      if (slot) slot.results[slot.index] = message;
    }
  }
  return found;
}

function repairCall(call: ToolCall, ids: CallIds): ToolCall {
  const id = ids.take(call.id);
  const name = /^[\w-]{1,64}$/.test(call.name) ? call.name : nameFrom(call.name);
  const args = isObject(call.args) ? toWellFormed(call.args) : {};
  if (id === call.id && name === call.name && args === call.args) return call;
  return { type: 'tool_call', id, name, args };
}

/** A model may call anything by any name, and is refused for it in the next turn. */
function nameFrom(name: unknown): string {
  return (typeof name === 'string' ? name : '').replace(/[^\w-]/g, '_').slice(0, 64) || 'unknown';
}

function repairModelMessage(message: AIMessage, calls: readonly ToolCall[]): BaseMessage {
  const {
    tool_calls: written = [],
    invalid_tool_calls: unreadable = [],
    additional_kwargs: beside,
  } = message;
  const isCalling = calls.length > 0;
  const areCallsSame =
    calls.every((call, index) => call === written[index]) &&
    unreadable.length === 0 &&
    (isCalling || (isNothing(beside.tool_calls) && isNothing(beside.function_call)));
  const cleaned =
    isCalling && isBlankText(message.content) ? '' : answerContent(message.content, isCalling, NO_ANSWER);
  if (areCallsSame && cleaned === message.content) return message;
  return rewriteAnswer(message, calls, cleaned, message.id);
}

function repairResult(result: ToolMessage | undefined, { id = '', name }: ToolCall): ToolMessage {
  if (!result) {
    return new ToolMessage({ tool_call_id: id, name, status: 'error', content: CANCELLED });
  }
  const content = fillBlank(result.content, NO_RESULT);
  if (content === result.content && result.tool_call_id === id) return result;
  const {
    id: messageId,
    name: writtenName = name,
    status,
    artifact,
  } = result as ToolMessage & { artifact?: unknown };
  return new ToolMessage({
    tool_call_id: id,
    name: writtenName,
    content,
    ...(messageId !== undefined && { id: messageId }),
    ...(status && { status }),
    ...(artifact !== undefined && { artifact }),
  });
}

/** A message of a person or of the system. Other kinds are somebody else's, and stay as they are. */
function toSendable(message: BaseMessage): BaseMessage {
  if (!HumanMessage.isInstance(message) && !SystemMessage.isInstance(message)) return message;
  const content = fillBlank(message.content, NO_QUESTION);
  if (content === message.content) return message;
  const Class = HumanMessage.isInstance(message) ? HumanMessage : SystemMessage;
  return new Class({
    content,
    additional_kwargs: message.additional_kwargs,
    ...(message.id !== undefined && { id: message.id }),
    ...(message.name !== undefined && { name: message.name }),
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}
