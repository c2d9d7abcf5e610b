/** Returns a part of the page's address. Undefined: the address has no such part. */
export function readQuery(name) {
  return new URLSearchParams(location.search).get(name) ?? undefined;
}

/** Sets a part of the address, and leaves the others as they are. */
export function setQuery(name, value) {
  if (readQuery(name) === value) return;
  const query = new URLSearchParams(location.search);
  if (value === undefined) query.delete(name);
  else query.set(name, value);
  history.replaceState(null, '', query.size > 0 ? `?${query}` : location.pathname);
}

/**
 * Goes to the address of a thread, or to that of a new conversation.
 *
 * @param runId a run of the thread, to be shown at once. Default: the end of the thread
 */
export function pushThread(threadId, runId) {
  const query = new URLSearchParams({ ...(threadId && { thread: threadId }), ...(runId && { at: runId }) });
  history.pushState(null, '', query.size > 0 ? `?${query}` : location.pathname);
}
