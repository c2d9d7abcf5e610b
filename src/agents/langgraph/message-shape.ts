import type { TextChunk } from './graph-fact.js';
import { readParts } from './message-parts.js';

/** A message as a node wrote it: an instance of any version of LangChain, a plain object or a tuple. */
export interface WrittenMessage {
  /** `ai`, `human`, `tool`, `system`, `remove`; whatever its author wrote, where it is none of these. */
  readonly type: string;
  readonly id: string | undefined;
  readonly words: TextChunk;
  /** The object itself: LangGraph gives a message its id after the node has returned it. */
  readonly source: object;
}

/** Stands for all messages before it, as the id of one that removes. */
export const ALL_MESSAGES = '__remove_all__';

const OVERWRITE = '__overwrite__';

export const NO_WORDS: TextChunk = { text: '', reasoning: '' };

const TYPE_OF_ROLE: Readonly<Record<string, string>> = {
  assistant: 'ai',
  user: 'human',
  developer: 'system',
};

/** Channels in which a task of the functional API hands on what it returns. */
const RETURN_CHANNELS = new Set(['__return__', '__end__']);

/**
 * Returns the messages that a node or a task has written, read as LangGraph's reducer reads them.
 *
 * @param output what it returned: a state update, a Command or several, messages by themselves; or its writes, as pairs of channel and value
 */
export function readMessages(output: unknown): WrittenMessage[] {
  if (typeof output !== 'object' || output === null) return [];
  if (Array.isArray(output)) {
    if (output.every(isWrite)) return output.flatMap(readWrite);
    return output.flatMap((each: unknown) => readMessages(each));
  }
  if ('update' in output) return readMessages(output.update);
  if ('messages' in output) return readList(output.messages);
  // LangChain wraps a list of commands and updates before it hands it to callbacks.
  if ('output' in output && Array.isArray(output.output)) return readMessages(output.output);
  const message = readMessage(output);
  return message ? [message] : [];
}

/** Returns the message; undefined where the reducer would not take it for one that could be shown. */
export function readMessage(like: unknown): WrittenMessage | undefined {
  if (typeof like !== 'object' || like === null) return undefined;
  if (Array.isArray(like)) {
    const [role, content] = like as unknown[];
    return like.length === 2 && typeof role === 'string' ? toMessage(role, { content }, like) : undefined;
  }
  const fields = getFields(like);
  const type = getType(like);
  return type === undefined ? undefined : toMessage(type, fields, like);
}

/** The text and the reasoning of a message or a chunk: a plain string, or blocks; some providers put reasoning beside the content. */
export function readWords(content: unknown, beside: Readonly<Record<string, unknown>> = {}): TextChunk {
  const reasoningBeside = typeof beside.reasoning_content === 'string' ? beside.reasoning_content : '';
  if (typeof content === 'string') {
    return content === '' && reasoningBeside === ''
      ? NO_WORDS
      : { text: content, reasoning: reasoningBeside };
  }
  let text = '';
  let reasoning = reasoningBeside;
  for (const block of Array.isArray(content) ? (content as readonly Record<string, unknown>[]) : []) {
    if (block.type === 'text' && typeof block.text === 'string') text += block.text;
    else if (block.type === 'reasoning' && typeof block.reasoning === 'string') reasoning += block.reasoning;
    else if (block.type === 'thinking' && typeof block.thinking === 'string') reasoning += block.thinking;
  }
  return text === '' && reasoning === '' ? NO_WORDS : { text, reasoning };
}

/** The text of a whole message, with its files and sources. The files still have their bytes: they are not stored yet. */
export function readContent(
  content: unknown,
  beside: Readonly<Record<string, unknown>> = {},
  metadata: Readonly<Record<string, unknown>> = {},
): TextChunk {
  const words = readWords(content, beside);
  const parts = readParts(content, beside, metadata);
  return parts.length > 0 ? { ...words, parts } : words;
}

/** True if the message has nothing to show. */
export function isUnsaid({ text, reasoning, parts }: TextChunk): boolean {
  return text === '' && reasoning === '' && !parts?.length;
}

/** LangChain's words around an answer in a form, when a tool call had to carry it. */
const STRUCTURED_LEAD = 'Returning structured response: ';

/** The words of a whole message. An answer in a form is its JSON, by whichever way the model was made to give it. */
function readAnswer(fields: Readonly<Record<string, unknown>>): TextChunk {
  const { content, additional_kwargs: beside, response_metadata: metadata } = fields;
  const words = readContent(content, asFields(beside), asFields(metadata));
  if (!words.text.startsWith(STRUCTURED_LEAD)) return words;
  const text = words.text.slice(STRUCTURED_LEAD.length);
  return isJson(text) ? { ...words, text } : words;
}

function asFields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isWrite(pair: unknown): pair is [string, unknown] {
  if (!Array.isArray(pair) || pair.length !== 2) return false;
  return pair[0] === 'messages' || RETURN_CHANNELS.has(pair[0] as string) || isChannelName(pair[0]);
}

/** True for a name that is a channel and not a role: tuples that are messages begin with a role. */
function isChannelName(name: unknown): boolean {
  return typeof name === 'string' && !ROLES.has(name);
}

const ROLES = new Set(['ai', 'human', 'system', 'tool', 'function', 'assistant', 'user', 'developer']);

function readWrite([channel, value]: [string, unknown]): WrittenMessage[] {
  if (channel === 'messages') return readList(value);
  return RETURN_CHANNELS.has(channel) ? readMessages(value) : [];
}

function readList(like: unknown): WrittenMessage[] {
  const value = unwrapOverwrite(like);
  return (Array.isArray(value) ? value : [value]).flatMap((like: unknown) =>
    typeof like === 'string' ? [toMessage('human', { content: like }, {})] : (readMessage(like) ?? []),
  );
}

/** Returns the messages in LangGraph's `Overwrite`, which replaces a whole channel: an instance, or as it is sent. Anything else is returned as it is. */
export function unwrapOverwrite(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  if (OVERWRITE in value) return value[OVERWRITE];
  return 'type' in value && value.type === OVERWRITE && 'value' in value ? value.value : value;
}

function toMessage(role: string, fields: Readonly<Record<string, unknown>>, source: object): WrittenMessage {
  return {
    type: TYPE_OF_ROLE[role] ?? role,
    id: typeof fields['id'] === 'string' ? fields['id'] : undefined,
    words: readAnswer(fields),
    source,
  };
}

/** An instance says it by a method, also one of another version; a plain object by its role or type; a serialized one by its class. */
function getType(like: object): string | undefined {
  const { _getType: ask, role, type, id } = like as Record<string, unknown>;
  if (typeof ask === 'function') return String(ask.call(like));
  if (typeof role === 'string') return role;
  if (type === 'constructor' && Array.isArray(id)) {
    return String(id.at(-1))
      .replace(/Message(Chunk)?$/, '')
      .toLowerCase();
  }
  return typeof type === 'string' && 'content' in like ? type : undefined;
}

function getFields(like: object): Readonly<Record<string, unknown>> {
  const { type, kwargs } = like as Record<string, unknown>;
  return (type === 'constructor' ? (kwargs ?? {}) : like) as Readonly<Record<string, unknown>>;
}
