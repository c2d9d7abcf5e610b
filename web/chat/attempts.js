import { toMessage } from './attachments.js';

/**
 * Makes room for a message where it is asked: in the place of another, or at the end of the branch that was chosen. Pure.
 *
 * @param attempt what the message is sent with
 * @param branch the run whose branch was chosen, if there is one
 */
export function placeAttempt(entries, attempt, branch) {
  if (attempt.replaces) {
    const { entries: rest, message } = cutTurn(entries, attempt.replaces);
    return { entries: rest, attempt: message ? { ...attempt, replaced: message } : attempt };
  }
  if (!branch || attempt.parentRunId) return { entries, attempt };
  return { entries, attempt: { ...attempt, parentRunId: entries.findLast(({ runId }) => runId)?.runId } };
}

/** Sends a message, or has an answer made again. Resolves to the run. */
export function startAttempt(
  chat,
  { text, threadId, files, agent, idempotencyKey, replaces, isAgain, parentRunId },
) {
  if (isAgain) return chat.regenerate(replaces, { idempotencyKey });
  return chat.start(toMessage(text, files), {
    idempotencyKey,
    ...(threadId && { threadId }),
    ...(agent && { agent }),
    ...(replaces && { replaces }),
    ...(parentRunId && { parentRunId }),
  });
}

/** Returns the messages that could not be sent, with what they were sent with. */
export function listRefused(entries) {
  return entries
    .filter(({ attempt, runId }) => attempt && !runId)
    .map(({ question: text, attempt }) => ({ ...attempt, text }));
}

/** Removes a message that was not sent, with the answer that it did not get. */
export function withoutAttempt(entries, key) {
  const index = entries.findIndex((entry) => entry.key === key);
  return entries.toSpliced(index - 1, 2);
}

/** Leaves out the turns that others take, which are on their way or could not be sent. */
export function withoutReplaced(entries, shown) {
  return shown
    .filter(({ runId, attempt }) => !runId && attempt?.replaces)
    .reduce((left, { attempt }) => cutTurn(left, attempt.replaces).entries, entries);
}

/** The versions of a turn once another run has taken it. */
export function addVersion(message, runId) {
  return [...(message.versions ?? [message.runId]), runId];
}

/**
 * Takes a run's turn out, with all that came after it. What was not sent stays.
 *
 * @returns the entries that are left, and the message of the turn, if it is shown
 */
function cutTurn(entries, runId) {
  const index = entries.findIndex((entry) => entry.runId === runId);
  if (index < 0) return { entries };
  // An answer that goes on after a decision belongs to the message before all its parts.
  const place = Math.max(
    entries.findLastIndex(({ role }, at) => role === 'user' && at <= index),
    0,
  );
  const rest = entries.slice(place).filter((entry) => !entry.runId);
  return { entries: [...entries.slice(0, place), ...rest], message: entries[place] };
}
