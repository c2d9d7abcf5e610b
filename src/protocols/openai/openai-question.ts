/** One turn of a conversation as OpenAI's clients send it, less what is not text. */
export interface Turn {
  readonly role: string;
  readonly text: string;
}

/** A question with what was said before it. */
export interface Question {
  readonly message: string;
  readonly historyBytes: number;
}

/**
 * Finds the question of a client that sends the whole conversation to a server that has none of it yet: the question alone, or all
 * earlier turns by role with the question last. Undefined when the last turn is not the user's.
 */
export function findQuestion(turns: readonly Turn[]): Question | undefined {
  const last = turns.at(-1);
  if (last?.role !== 'user') return undefined;
  const spoken = turns.filter(({ text }) => text.trim() !== '');
  const message =
    spoken.length === 1 ? last.text : spoken.map(({ role, text }) => `${role}: ${text}`).join('\n\n');
  return { message, historyBytes: Buffer.byteLength(message) - Buffer.byteLength(last.text) };
}
