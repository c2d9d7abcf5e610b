/** One turn of a conversation as OpenAI's clients send it, less what is not text. */
export interface Turn {
  readonly role: string;
  readonly text: string;
}

/**
 * What is asked, where a client sends the whole conversation each time and the server has nothing of it yet: the question, or,
 * when others went before it, all of them by role, the question last. Undefined when the last turn is not the user's.
 */
export function questionOf(turns: readonly Turn[]): string | undefined {
  const last = turns.at(-1);
  if (last?.role !== 'user') return undefined;
  const spoken = turns.filter(({ text }) => text.trim() !== '');
  return spoken.length === 1 ? last.text : spoken.map(({ role, text }) => `${role}: ${text}`).join('\n\n');
}
