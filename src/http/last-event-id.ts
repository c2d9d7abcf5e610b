import type { WebRequest } from './http.types.js';

/**
 * Returns the id of the last frame that the client has: from the header that an EventSource sends by itself, or from the query,
 * because a new EventSource object has no such header.
 */
export function readLastEventId({
  headers,
  query,
}: Pick<WebRequest, 'headers' | 'query'>): string | undefined {
  const header = headers['last-event-id'];
  if (typeof header === 'string' && header !== '') return header;
  const { lastEventId } = query;
  // Given twice it is a list, which is not an event id: refused, where ignoring it would repeat the whole run.
  return typeof lastEventId === 'object' ? JSON.stringify(lastEventId) : (lastEventId as string | undefined);
}
