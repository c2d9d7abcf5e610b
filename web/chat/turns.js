/**
 * Takes a run's turn out, with all that came after it. What was not sent stays.
 *
 * @returns the entries that are left, and the message of the turn, if it is shown
 */
export function cutTurn(entries, runId) {
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
