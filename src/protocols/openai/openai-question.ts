import type { GivenFile } from '../../streams/given-files.js';

const SEPARATOR = '\n\n';

/** One turn of a conversation as OpenAI's clients send it. */
export interface Turn {
  readonly role: string;
  readonly text: string;
  readonly files?: readonly GivenFile[];
}

/** A question with what was said before it. */
export interface Question {
  readonly message: string;
  readonly historyBytes: number;
  /** The files of all turns. Absent: none. */
  readonly files?: readonly GivenFile[];
}

/**
 * Finds the question of a client that sends the whole conversation to a server that has none of it yet: the question alone, or all
 * earlier turns by role with the question last. Undefined when the last turn is not the user's.
 */
export function findQuestion(turns: readonly Turn[]): Question | undefined {
  const last = turns.at(-1);
  if (last?.role !== 'user') return undefined;
  const isAlone = turns.every((turn) => turn === last || turn.text.trim() === '');
  let message = isAlone ? last.text : '';
  const files: GivenFile[] = [];
  for (const { role, text, files: own = [] } of turns) {
    let start = message.length;
    if (isAlone) start = 0;
    else if (text.trim() !== '') {
      const head = `${message === '' ? '' : SEPARATOR}${role}: `;
      start += head.length;
      message += head + text;
    }
    if (role !== 'user') continue;
    for (const file of own) {
      const at = start + (file.at ?? 0);
      const isBehind = at > 0 && at >= message.length;
      files.push({ ...file, at: isBehind ? message.length + SEPARATOR.length : at });
    }
  }
  const historyBytes = Buffer.byteLength(message) - Buffer.byteLength(last.text);
  if (files.length === 0) return { message, historyBytes };
  return {
    message,
    historyBytes,
    files: files.map((file) => ({ ...file, at: Math.min(file.at ?? 0, message.length) })),
  };
}
