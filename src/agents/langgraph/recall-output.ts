import type { AgentContext } from '../agent.js';
import { keepMessages, type KeepWords } from './keep-words.js';
import type { LangGraphMapper } from './langgraph.mapper.js';
import { readMessages } from './message-shape.js';
import { recallWords } from './recalled-words.js';
import type { SpokenMessages } from './spoken-messages.js';
import { humanMessageId } from './thread-messages.js';
import type { ThreadMessages } from './thread-state.js';

/** The places that learn what was said, and the thread as it is. */
interface Recalling {
  readonly mapper: LangGraphMapper;
  readonly spoken: SpokenMessages;
  readonly thread: ThreadMessages;
  readonly keepWords: KeepWords;
}

/** Reads the output of earlier owners of the run, to recognise text that comes again and text that is replaced. */
export async function recallOutput(
  context: AgentContext,
  { mapper, spoken, thread, keepWords }: Recalling,
): Promise<void> {
  const { attempt, messageId } = context;
  if (attempt === 1) return;
  const before = (await context.spokenBefore?.()) ?? [];
  const { seen } = thread;
  const asked = seen.findIndex(({ id }) => id === humanMessageId(messageId));
  // Where the question is not, nothing says what is new: a functional graph has what it returned in the turn before.
  const earlier = asked < 0 ? seen : seen.slice(0, asked);
  const later = seen.slice(earlier.length);
  const stored = readMessages(later).flatMap(({ type, words }) => (type === 'ai' ? [words] : []));
  for (const { started, parts } of before) {
    mapper.recall(started);
    for (const words of recallWords(parts, stored)) spoken.recalled(started.stepId, words);
  }
  spoken.recallEarlier(new Set(earlier.map(({ id }) => id)), later);
  spoken.learn(seen);
  const held = spoken.holds && asked >= 0 ? readMessages(seen.slice(asked + 1)) : [];
  spoken.recallHeld(await keepMessages(held, keepWords), before.at(-1)?.started.stepId ?? '');
}
