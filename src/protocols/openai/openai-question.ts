import type { GivenFile } from '../../streams/given-files.js';

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
  const spoken = turns.filter(({ text }) => text.trim() !== '');
  const isAlone = spoken.every((turn) => turn === last);
  const message = isAlone ? last.text : spoken.map(({ role, text }) => `${role}: ${text}`).join('\n\n');
  const files = turns.flatMap((turn) => (turn.role === 'user' ? (turn.files ?? []) : []));
  const historyBytes = Buffer.byteLength(message) - Buffer.byteLength(last.text);
  return { message, historyBytes, ...(files.length > 0 && { files }) };
}
