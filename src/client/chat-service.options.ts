import type { Backoff } from './backoff.js';
import type { ChatApiOptions } from './chat-api.js';
import type { EventSourceLike } from './run.subscription.js';

export interface ChatServiceOptions extends ChatApiOptions {
  /** Address of the chat API: `/api/chat`, or a full URL. Outside a browser it must be a whole URL. */
  readonly baseUrl: string;
  /**
   * Sent with every request: `Authorization`, for example. With headers, each stream is opened by a ticket, since EventSource
   * can send none. Default: none, and the cookie of `ChatService.signIn` counts.
   */
  readonly headers?: ChatApiOptions['headers'];
  /** Default: the global one. */
  readonly fetch?: typeof fetch;
  /** Default: the global one. Node has none: pass that of the package `eventsource`. */
  readonly EventSource?: EventSourceConstructor;
  /** `include` sends cookies to another origin, which has to allow it. Default `same-origin`. */
  readonly credentials?: RequestCredentials;
  /** Waits between attempts to start and to connect. Default: from 500 ms to 30 s. */
  readonly backoff?: Partial<Backoff>;
  /** Attempts in a row that may come to nothing before a subscription fails. Default: without limit, for as long as it is open. */
  readonly maxFailures?: number;
  /** Milliseconds of silence after which a stream is opened again, in case it died silently. Default 45,000. */
  readonly silenceMs?: number;
  /** Milliseconds that a stream may take until its first frame. Default 15,000. */
  readonly answerMs?: number;
  /**
   * True to hold no stream while the page is hidden. Over HTTP/1.1 all tabs of a server share six connections of the browser; once they are used
   * up, nothing loads. A subscription continues where it was once the page is shown again. Default false.
   */
  readonly pauseWhenHidden?: boolean;
}

export type EventSourceConstructor = new (
  url: string,
  init?: { withCredentials?: boolean },
) => EventSourceLike;
