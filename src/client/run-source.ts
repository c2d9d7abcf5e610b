import type { ChatApi } from './chat-api.js';
import { ChatError } from './chat.error.js';
import type { ChatServiceOptions } from './chat-service.options.js';
import type { RunRecord } from './chat.types.js';
import type { EventSourceLike, RunSource } from './run.subscription.js';

interface SourceParts {
  readonly api: ChatApi;
  readonly options: Pick<ChatServiceOptions, 'EventSource' | 'credentials' | 'headers'>;
  readonly readRecord: (signal: AbortSignal) => Promise<RunRecord>;
}

/** Returns what a subscription to a run asks of the server. */
export function createRunSource(runId: string, { api, options, readRecord }: SourceParts): RunSource {
  const run = `/runs/${encodeURIComponent(runId)}`;
  const events = `${run}/events`;

  /** A fresh one for every EventSource: it serves that one's own reconnects until it expires. */
  const readTicket = async (signal: AbortSignal): Promise<string | undefined> => {
    if (!options.headers) return undefined;
    const { ticket } = await api.json<{ ticket: string }>(`${run}/ticket`, { method: 'POST', signal });
    return ticket;
  };

  const openStream = (query: { ticket?: string; after?: string }): EventSourceLike => {
    const EventSource = options.EventSource ?? globalThis.EventSource;
    if (!EventSource) {
      const message =
        "There is no EventSource here. Pass one to ChatService: that of the package 'eventsource'.";
      throw new ChatError(message, { status: 400, code: 'NO_EVENT_SOURCE' });
    }
    const url = api.url(events, { ticket: query.ticket, lastEventId: query.after });
    return new EventSource(url, { withCredentials: options.credentials === 'include' });
  };

  return {
    runId,
    open: async (after, signal) => openStream({ ticket: await readTicket(signal), after }),
    readRefusal: async (after, signal) => {
      const headers = { accept: 'text/event-stream' };
      const response = await api.send(events, { headers, query: { lastEventId: after }, signal });
      await response.body?.cancel();
      return response.status === 204 ? 'past-end' : 'open';
    },
    record: readRecord,
  };
}
