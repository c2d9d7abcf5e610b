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
 * What is asked, where a client sends the whole conversation each time and the server has nothing of it yet: the question, or,
 * when others went before it, all of them by role, the question last. Undefined when the last turn is not the user's.
 */
export function questionOf(turns: readonly Turn[]): Question | undefined {
  const last = turns.at(-1);
  if (last?.role !== 'user') return undefined;
  const spoken = turns.filter(({ text }) => text.trim() !== '');
  const message =
    spoken.length === 1 ? last.text : spoken.map(({ role, text }) => `${role}: ${text}`).join('\n\n');
  return { message, historyBytes: Buffer.byteLength(message) - Buffer.byteLength(last.text) };
}
