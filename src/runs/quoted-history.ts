/**
 * A conversation that a client sends along as a whole, in one message: turns by role, the last of them the question. What it says of
 * others than the person may be text of strangers, which cannot be known here.
 */
const OTHERS = /(?:^|\n\n)(?:assistant|tool|function): /;
const TURNS = /(?:^|\n\n)[a-z]+: /;
const USER = /(?:^|\n\n)user: /g;

/** True if the message has turns of somebody else than the person in it. */
export function quotesOthers(message: string): boolean {
  return OTHERS.test(message);
}

/** Returns what the person says last in a message that has turns; of any other message, all of it. */
export function findLastTurn(message: string): string {
  const last = TURNS.test(message) ? [...message.matchAll(USER)].at(-1) : undefined;
  return last || quotesOthers(message)
    ? message.slice(last ? last.index + last[0].length : message.length)
    : message;
}
