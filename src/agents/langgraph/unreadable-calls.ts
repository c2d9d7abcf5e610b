import { AIMessageChunk, type AIMessage } from '@langchain/core/messages';
import { readFinishReason } from './finish-reason.js';
import { withoutCallBlocks } from './message-content.js';
import { rewriteAnswer } from './rewrite-answer.js';

/** Key for arguments of a call that are not JSON, so that the call is rejected like any other with invalid arguments. */
export const UNREADABLE = '__unreadable__';

export const UNREADABLE_WORDS =
  'The call was not made: its arguments are not complete JSON, because they were cut off or are broken. Write them again, shorter if they are long.';

/**
 * A call whose arguments are not complete JSON is still a call: the model has to be told, or it would wait for an answer for ever. LangChain closes
 * what is open in them, so that half of what the model meant to write would be done. One that only has no id is as good as any.
 */
export function withReadableCalls(message: AIMessage): AIMessage {
  const { tool_calls: parsed = [], invalid_tool_calls: unreadable = [] } = message;
  const halves = findHalfCalls(message);
  if (unreadable.length === 0 && halves.size === 0) return message;
  const checked = parsed.map((call) => {
    const half = halves.get(call);
    return half === undefined ? call : { ...call, args: { [UNREADABLE]: half } };
  });
  const repaired = unreadable.map(({ id, name, args = '' }) => ({
    type: 'tool_call' as const,
    id: id ?? '',
    name: name ?? '',
    args: (id ? undefined : parseObject(args)) ?? { [UNREADABLE]: args },
  }));
  return rewriteAnswer(message, [...checked, ...repaired], withoutCallBlocks(message.content), message.id);
}

/** The calls whose arguments the model did not write to the end, with what it wrote. */
function findHalfCalls(message: AIMessage): ReadonlyMap<object, string> {
  const { tool_calls: calls = [], response_metadata } = message;
  if (calls.length === 0 || !AIMessageChunk.isInstance(message)) return NO_HALVES;
  const halves = new Map<object, string>();
  const isCut = readFinishReason({ ...message.additional_kwargs, ...response_metadata }) === 'length';
  for (const call of calls) {
    const pieces = message.tool_call_chunks?.filter(({ id }) => id === call.id) ?? [];
    const written = pieces.map(({ args = '' }) => args).join('');
    // No arguments at all are none, unless there was no room for them.
    const isWhole = written.trim() === '' ? !isCut : isClosed(written);
    if (!isWhole && pieces.length === 1) halves.set(call, written);
  }
  return halves;
}

const NO_HALVES: ReadonlyMap<object, string> = new Map();

/** True if every object, list and string in it has its end. What local models get wrong inside of them is not asked for. */
function isClosed(json: string): boolean {
  if (parseObject(json)) return true;
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < json.length; at += 1) {
    const unit = json[at];
    if (isInString && unit === '\\') at += 1;
    else if (unit === '"') isInString = !isInString;
    else if (!isInString && (unit === '{' || unit === '[')) depth += 1;
    else if (!isInString && (unit === '}' || unit === ']')) depth -= 1;
  }
  return depth === 0 && !isInString;
}

function parseObject(json: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(json || '{}');
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
    return isObject ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Providers hand over the model's text as it is, even if it is not an object. */
export function isUnreadable(args: unknown): args is { readonly [UNREADABLE]: unknown } {
  return typeof args === 'object' && args !== null && UNREADABLE in args;
}

/** True if the input of a tool, as JSON, is that of a call that cannot be made. */
export function holdsUnreadable(input: string): boolean {
  return input.startsWith(`{"${UNREADABLE}":`);
}
