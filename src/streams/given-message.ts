/** The text that people read of an input that came without a message of its own, and whether the graph gets a message at all. */
export interface GivenMessage {
  readonly message: string;
  readonly isWithoutMessage: boolean;
}

const LONGEST = 2_000;

/** Returns what a person says in a graph's own input: its last message, if that is theirs; or else the input itself, as people can read it. */
export function readGivenMessage(input: Readonly<Record<string, unknown>>): GivenMessage {
  const { messages } = input;
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : messages;
  const said = isHuman(last) ? textIn(last.content).trim() : '';
  if (isHuman(last)) return { message: said || '…', isWithoutMessage: false };
  const words = Object.values(input).filter((value) => typeof value === 'string');
  const shown = words.length === 1 ? String(words[0]) : JSON.stringify(input);
  return {
    message: shown.trim().slice(0, LONGEST).toWellFormed().replaceAll('\0', '') || '…',
    isWithoutMessage: true,
  };
}

function isHuman(message: unknown): message is { readonly content: unknown } {
  if (typeof message !== 'object' || message === null || !('content' in message)) return false;
  const { role, type } = message as { readonly role?: unknown; readonly type?: unknown };
  return ['human', 'user'].includes(String(role ?? type));
}

function textIn(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .flatMap((part: unknown) => {
      const { text } = (part ?? {}) as { readonly text?: unknown };
      return typeof text === 'string' ? [text] : [];
    })
    .join('\n');
}
