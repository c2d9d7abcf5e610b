/** Pages of a thread that are read at most, to reach a run that is further up. */
const MOST_PAGES = 50;

/**
 * Shows a thread back to one of its runs, in a branch that has it: the newest, if it is near its end, or else that of the run.
 *
 * @param signal aborted when the person goes elsewhere, also to another run of this thread
 * @returns true if the run is shown; false: it is not there, or the person has gone elsewhere meanwhile
 */
export async function showRun(conversation, threadId, runId, signal) {
  const isShown = () => conversation.entries.some((entry) => entry.runId === runId);
  const isHere = () => !signal.aborted && conversation.threadId === threadId && !conversation.problem;
  if (signal.aborted) return false;
  await conversation.show(threadId);
  if (isHere() && !isShown()) await conversation.show(threadId, runId);
  for (let page = 0; page < MOST_PAGES; page += 1) {
    if (!isHere() || isShown() || !conversation.earlier) break;
    await conversation.showEarlier();
  }
  return isHere() && isShown();
}
