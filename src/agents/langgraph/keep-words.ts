import type { KeepFile } from '../../events/message-part.js';
import type { TextChunk } from './graph-fact.js';
import { keepPart, type MessagePart } from './message-parts.js';
import type { WrittenMessage } from './message-shape.js';

/** A function that stores the files of a message. It returns a message without files at once. */
export type KeepWords = (words: TextChunk) => TextChunk | Promise<TextChunk>;

/** @param keep absent where files cannot be stored: the log then names them as missing */
export function createWordKeeper(keep: KeepFile = keepNothing): KeepWords {
  return (words) => {
    if (!words.parts?.some(isUnkept)) return words;
    return Promise.all(words.parts.map((part) => keepPart(part, keep))).then((parts) => ({
      ...words,
      parts,
    }));
  };
}

export function keepMessages(
  messages: readonly WrittenMessage[],
  keepWords: KeepWords,
): readonly WrittenMessage[] | Promise<readonly WrittenMessage[]> {
  // What a person or a tool has said is not said again.
  const isSaid = ({ type, words }: WrittenMessage) => type === 'ai' && words.parts?.some(isUnkept);
  if (!messages.some(isSaid)) return messages;
  return Promise.all(
    messages.map(async (message) =>
      isSaid(message) ? { ...message, words: await keepWords(message.words) } : message,
    ),
  );
}

function isUnkept(part: MessagePart): boolean {
  return part.kind === 'file' && part.facts === undefined;
}

const keepNothing: KeepFile = async ({ mediaType = 'application/octet-stream' }) => ({
  mediaType,
  omitted: 'unreadable',
});
