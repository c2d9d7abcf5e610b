import type { FilePart, MessageViewPart, SourcePart } from '../../events/view-parts.js';
import type { TextChunk } from './graph-fact.js';
import type { MessagePart } from './message-parts.js';

/** A message that an earlier owner of the run has said. */
export interface RecalledWords {
  readonly words: TextChunk;
  /** True if the thread has it as well. Otherwise the log alone does not say where one message ends and the next begins. */
  readonly isStored: boolean;
}

/**
 * Puts together again the messages that people were shown in a step, from the parts of its log.
 *
 * @param stored the messages of this answer in the thread. Those that are found in the step are removed from it
 */
export function recallWords(shown: readonly MessageViewPart[], stored: TextChunk[]): RecalledWords[] {
  const rest = [...shown];
  const recalled: RecalledWords[] = [];
  while (rest.length > 0) recalled.push(takeMessage(rest, stored));
  return recalled;
}

function takeMessage(rest: MessageViewPart[], stored: TextChunk[]): RecalledWords {
  const found = findStored(rest, stored);
  if (!found) return { words: join(rest.splice(0, lengthOfFirst(rest))), isStored: false };
  stored.splice(stored.indexOf(found.words), 1);
  const own = rest.splice(0, found.length);
  // What stands beside the text comes behind it. Another message of the step may have begun in between.
  let missing = (found.words.parts?.length ?? 0) - own.filter(isBeside).length;
  for (let index = 0; missing > 0 && index < rest.length;) {
    if (!isBeside(rest[index]!)) index += 1;
    else {
      own.push(...rest.splice(index, 1));
      missing -= 1;
    }
  }
  return { words: join(own), isStored: true };
}

/** Finds the stored message whose text the next parts have. A model that thinks in between gives its text in several parts. */
function findStored(
  rest: readonly MessageViewPart[],
  stored: readonly TextChunk[],
): { readonly words: TextChunk; readonly length: number } | undefined {
  if (isBeside(rest[0]!)) {
    const words = stored.find(({ text, parts = [] }) => text === '' && parts.length > 0);
    return words && { words, length: 1 };
  }
  let text = '';
  for (const [index, part] of rest.entries()) {
    if (isBeside(part)) break;
    if (part.kind !== 'text') continue;
    text += part.text;
    const words = stored.find((each) => each.text === text);
    if (words) return { words, length: index + 1 };
  }
  return undefined;
}

/** The thoughts before a text, the text, and what stands beside it. */
function lengthOfFirst(rest: readonly MessageViewPart[]): number {
  const text = rest.findIndex(({ kind }) => kind === 'text' || kind === 'file' || kind === 'source');
  if (text < 0) return rest.length;
  const next = rest.findIndex((part, index) => index > text && !isBeside(part));
  return next < 0 ? rest.length : next;
}

function isBeside(part: MessageViewPart): part is FilePart | SourcePart {
  return part.kind === 'file' || part.kind === 'source';
}

function join(shown: readonly MessageViewPart[]): TextChunk {
  const words = { text: '', reasoning: '' };
  for (const part of shown) if (!isBeside(part)) words[part.kind] += part.text;
  const parts = shown.filter(isBeside).map(toMessagePart);
  return parts.length > 0 ? { ...words, parts } : words;
}

function toMessagePart(part: FilePart | SourcePart): MessagePart {
  const { kind, partId: _, stepId: _step, continued: _mark, subagent: _agent, ...facts } = part;
  if (kind === 'source') return { kind, ...facts };
  const { toolCallId: _call, ...file } = facts as Omit<FilePart, 'kind'>;
  return { kind, facts: file };
}
