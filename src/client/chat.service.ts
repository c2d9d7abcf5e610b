import type { ClientTool } from '../events/client-tool.js';
import type { InputAnswer } from '../events/requested-input.js';
import { emptyView, type RunView } from '../events/run-view.js';
import { type Backoff, backoffMs, DEFAULT_BACKOFF } from './backoff.js';
import { ChatApi, type ChatApiOptions } from './chat-api.js';
import { ChatError } from './chat.error.js';
import type {
  AgentList,
  DecisionResult,
  PageQuery,
  RunRecord,
  Session,
  StartedRun,
  ThreadList,
  ThreadPage,
} from './chat.types.js';
import { newIdempotencyKey } from './idempotency-key.js';
import { RunHandle } from './run-handle.js';
import type { RunStream } from './run-stream.js';
import { type EventSourceLike, type RunSource, RunSubscription } from './run.subscription.js';

export interface ChatServiceOptions extends ChatApiOptions {
  /** Address of the chat API: `/api/chat`, or a full URL. Outside a browser it must be a whole URL. */
  readonly baseUrl: string;
  /**
   * Sent with every request: `Authorization`, for example. With headers, each stream is opened by a ticket, since EventSource
   * can send none. Default: none, and the cookie of {@link ChatService.signIn} counts.
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
}

export type EventSourceConstructor = new (
  url: string,
  init?: { withCredentials?: boolean },
) => EventSourceLike;

export interface StartOptions {
  /** Default: a new thread. */
  readonly threadId?: string;
  /** Default: the server's default agent. */
  readonly agent?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Tools that this front end runs: each call is an `input-request` of kind `client-tool`, and is answered by its result. Default: none. */
  readonly clientTools?: readonly ClientTool[];
  /** The same key and message start one run, however often they are sent. Default: a new key for each call. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

const START_ATTEMPTS = 4;

/**
 * The chat API for browsers and Node: starts runs, follows them through every cut, and reads threads.
 *
 * Every method rejects with a {@link ChatError}, whose `message` may be shown. Of its codes, each method can meet
 * UNAUTHENTICATED (sign in), RATE_LIMITED, UNREACHABLE and UNEXPECTED_ANSWER; what is further to expect is said at the method.
 */
export class ChatService {
  private readonly api: ChatApi;
  private readonly backoff: Backoff;

  constructor(private readonly options: ChatServiceOptions) {
    this.api = new ChatApi(options);
    this.backoff = { ...DEFAULT_BACKOFF, ...options.backoff };
  }

  /**
   * Starts a run. Sent again when no answer comes or the server is restarting, up to four times in all: the key that goes
   * with it makes sure that this starts one run.
   *
   * @throws ChatError THREAD_BUSY (`problem.runId` is the run that has to end first), AGENT_UNKNOWN, NOT_FOUND (the thread),
   *   REQUEST_INVALID, REQUEST_TOO_LARGE, IDEMPOTENCY_CONFLICT
   */
  async start(message: string, options: StartOptions = {}): Promise<RunHandle> {
    const { idempotencyKey = newIdempotencyKey(), signal, ...rest } = options;
    for (let attempt = 1; ; attempt++) {
      try {
        const started = await this.api.json<StartedRun>('/runs', {
          method: 'POST',
          body: { message, ...rest },
          headers: { 'idempotency-key': idempotencyKey },
          signal,
        });
        return new RunHandle(this, started);
      } catch (error) {
        const again = error instanceof ChatError && error.passing && error.status !== 429;
        if (!again || attempt === START_ATTEMPTS) throw error;
        await wait(
          Math.max(backoffMs(attempt, this.backoff, Math.random()), error.retryAfterMs ?? 0),
          signal,
        );
      }
    }
  }

  /**
   * Follows a run to its end: replayed from its first event or, with `after`, from what that view has seen already.
   * A subscription fails with UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, or, with `maxFailures`, UNREACHABLE.
   */
  follow(runId: string, { after }: { readonly after?: RunView } = {}): RunStream {
    return {
      subscribe: (observer) =>
        new RunSubscription(
          this.source(runId),
          after ?? emptyView(runId),
          typeof observer === 'function' ? { next: observer } : observer,
          {
            backoff: this.backoff,
            maxFailures: this.options.maxFailures ?? Infinity,
            answerMs: this.options.answerMs ?? 15_000,
            silenceMs: this.options.silenceMs ?? 45_000,
          },
        ),
    };
  }

  /** @throws ChatError NOT_FOUND */
  run(runId: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<RunRecord> {
    return this.api.json(runPath(runId), { signal });
  }

  /** Asks a run to stop; its end comes through its stream. What it has said until then is kept. @throws ChatError NOT_FOUND */
  cancel(runId: string): Promise<RunRecord> {
    return this.api.json(`${runPath(runId)}/cancel`, { method: 'POST' });
  }

  /**
   * Answers something that a run has stopped for: decides on a tool call, or gives the value that is asked for. With the last missing answer the run is continued by another. Repeating an
   * answer is harmless.
   *
   * @throws ChatError NOT_FOUND; REQUEST_INVALID when it does not fit what is asked; INPUT_CLOSED when it was answered otherwise, has
   *   expired, or the conversation went on without it
   */
  answer(runId: string, inputId: string, decision: InputAnswer): Promise<DecisionResult> {
    const path = `${runPath(runId)}/inputs/${encodeURIComponent(inputId)}`;
    return this.api.json(path, { method: 'POST', body: decision });
  }

  /** The caller's threads, latest change first. */
  threads({ signal, ...query }: PageQuery = {}): Promise<ThreadList> {
    return this.api.json('/threads', { query, signal });
  }

  /** A thread with a page of its messages. @throws ChatError NOT_FOUND */
  thread(threadId: string, { signal, ...query }: PageQuery = {}): Promise<ThreadPage> {
    return this.api.json(threadPath(threadId), { query, signal });
  }

  /** Removes a thread and all that was said in it. @throws ChatError NOT_FOUND */
  deleteThread(threadId: string): Promise<void> {
    return this.api.json(threadPath(threadId), { method: 'DELETE' });
  }

  /** The agents that the caller may use. */
  agents({ signal }: { readonly signal?: AbortSignal } = {}): Promise<AgentList> {
    return this.api.json('/agents', { signal });
  }

  /** Returns the principal of this client as the server sees it; `principal` is null if the client is not signed in. */
  session({ signal }: { readonly signal?: AbortSignal } = {}): Promise<Session> {
    return this.api.json(SESSION_PATH, { signal });
  }

  /** Trades a token for a cookie that scripts cannot read. @throws ChatError UNAUTHENTICATED */
  signIn(token: string): Promise<Session> {
    return this.api.json(SESSION_PATH, { method: 'POST', body: { token } });
  }

  /**
   * Ends this session and removes its cookie.
   *
   * @param options `everywhere`: ends all sessions of the user, in every browser. Default false
   */
  signOut({ everywhere = false }: { readonly everywhere?: boolean } = {}): Promise<void> {
    return this.api.json(everywhere ? `${SESSION_PATH}/all` : SESSION_PATH, { method: 'DELETE' });
  }

  private source(runId: string): RunSource {
    const events = `${runPath(runId)}/events`;
    return {
      runId,
      open: async (after, signal) =>
        this.openStream(events, { ticket: await this.ticket(runId, signal), after }),
      readRefusal: async (after, signal) => {
        const headers = { accept: 'text/event-stream' };
        const response = await this.api.send(events, { headers, query: { lastEventId: after }, signal });
        await response.body?.cancel();
        return response.status === 204 ? 'past-end' : 'open';
      },
      record: (signal) => this.run(runId, { signal }),
    };
  }

  private openStream(path: string, { ticket, after }: { ticket?: string; after?: string }): EventSourceLike {
    const EventSource = this.options.EventSource ?? globalThis.EventSource;
    if (!EventSource) {
      const message =
        "There is no EventSource here. Pass one to ChatService: that of the package 'eventsource'.";
      throw new ChatError(message, { status: 400, code: 'NO_EVENT_SOURCE' });
    }
    const withCredentials = this.options.credentials === 'include';
    return new EventSource(this.api.url(path, { ticket, lastEventId: after }), { withCredentials });
  }

  /** A fresh one for every EventSource: it serves that one's own reconnects until it expires. */
  private async ticket(runId: string, signal: AbortSignal): Promise<string | undefined> {
    if (!this.options.headers) return undefined;
    const { ticket } = await this.api.json<{ ticket: string }>(`${runPath(runId)}/ticket`, {
      method: 'POST',
      signal,
    });
    return ticket;
  }
}

// The session belongs to the whole server, one level above the chat: /api/chat, /api/auth/session.
const SESSION_PATH = '/../auth/session';

function runPath(runId: string): string {
  return `/runs/${encodeURIComponent(runId)}`;
}

function threadPath(threadId: string): string {
  return `/threads/${encodeURIComponent(threadId)}`;
}

function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
