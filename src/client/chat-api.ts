import { ChatError } from './chat.error.js';
import { sendWithProgress } from './send-with-progress.js';

export interface ChatApiOptions {
  readonly baseUrl: string;
  readonly headers?: HeaderSource;
  readonly fetch?: typeof fetch;
  readonly credentials?: RequestCredentials;
}

/** Headers for every request. A function is called each time, so that it can answer with a refreshed token. */
export type HeaderSource =
  | Readonly<Record<string, string>>
  | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly signal?: AbortSignal;
}

/** A body of bytes to send. */
export interface Upload {
  readonly query?: ApiRequest['query'];
  readonly signal?: AbortSignal | undefined;
  /** Called with the part that was sent, from 0 to 1: as it goes in a browser, and elsewhere at the end. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

/** Speaks HTTP with the chat API: URLs, headers, and every failure as a {@link ChatError}. */
export class ChatApi {
  private readonly baseUrl: string;

  constructor(private readonly options: ChatApiOptions) {
    this.baseUrl = options.baseUrl.replace(/\/+$/, '');
  }

  url(path: string, query: ApiRequest['query'] = {}): string {
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
    return `${this.baseUrl}${path}${search && `?${search}`}`;
  }

  /** The JSON body of the answer; undefined when it has none. @throws ChatError; the signal's reason when that was aborted */
  async json<Body>(path: string, request: ApiRequest = {}): Promise<Body> {
    const response = await this.send(path, request);
    if (response.status === 204) return undefined as Body;
    try {
      return (await response.json()) as Body;
    } catch (cause) {
      request.signal?.throwIfAborted();
      const message = 'The answer is not JSON. Is there something between this page and the server?';
      throw new ChatError(message, { status: response.status, code: 'UNEXPECTED_ANSWER', cause });
    }
  }

  /** Sends bytes. @throws ChatError; the signal's reason when that was aborted */
  async upload<Body>(path: string, body: Blob, { query, signal, onProgress }: Upload): Promise<Body> {
    const url = this.url(path, query);
    const credentials = this.options.credentials ?? 'same-origin';
    const headers = {
      accept: 'application/json',
      'content-type': 'application/octet-stream',
      ...(await this.ownHeaders()),
    };
    const isWatched = onProgress && !this.options.fetch && typeof XMLHttpRequest !== 'undefined';
    const response = await this.orUnreachable(signal, () =>
      isWatched
        ? sendWithProgress(url, { headers, body, credentials, signal, onProgress })
        : this.fetch(url, { method: 'POST', headers, body, credentials, ...(signal && { signal }) }),
    );
    if (!response.ok) throw await ChatError.fromResponse(response);
    onProgress?.(1);
    return (await response.json()) as Body;
  }

  /** A successful response with its body unread. @throws ChatError; the signal's reason when that was aborted */
  async send(path: string, { method, body, headers, query, signal }: ApiRequest = {}): Promise<Response> {
    const all = {
      accept: 'application/json',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(await this.ownHeaders()),
      ...headers,
    };
    const response = await this.orUnreachable(signal, () =>
      this.fetch(this.url(path, query), {
        method: method ?? 'GET',
        headers: all,
        credentials: this.options.credentials ?? 'same-origin',
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal && { signal }),
      }),
    );
    if (!response.ok) throw await ChatError.fromResponse(response);
    return response;
  }

  private fetch(url: string, init: RequestInit): Promise<Response> {
    // Called as a plain function: the browser's fetch refuses any other `this`.
    const fetch = this.options.fetch ?? globalThis.fetch;
    return fetch(url, init);
  }

  private async orUnreachable(
    signal: AbortSignal | undefined,
    send: () => Promise<Response>,
  ): Promise<Response> {
    try {
      return await send();
    } catch (cause) {
      signal?.throwIfAborted();
      throw ChatError.unreachable(cause);
    }
  }

  private ownHeaders(): Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>> {
    const { headers } = this.options;
    return typeof headers === 'function' ? headers() : (headers ?? {});
  }
}
