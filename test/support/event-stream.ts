import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { createParser, type EventSourceMessage } from 'eventsource-parser';

export interface StreamRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** The socket is not read until `resume`. */
  readonly paused?: boolean;
}

/** A frame as a client sees it. */
export interface SeenFrame {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown> & { readonly type: string };
}

/** Below the limit of a test, so that the failure says what has come instead; a busy machine needs some of it. */
const PATIENCE_MS = 90_000;

/** A client that keeps every byte of a stream, and waits for what it expects. */
export class EventStream {
  raw = '';
  readonly frames: SeenFrame[] = [];
  readonly comments: string[] = [];
  retryMs: number | undefined;
  /** `end`: the server closed it in an orderly way. `cut`: the connection broke. */
  ended: 'end' | 'cut' | undefined;
  private readonly waiting = new Set<() => void>();

  private constructor(
    readonly response: IncomingMessage,
    private readonly client: ClientRequest,
  ) {
    const parser = createParser({
      onEvent: (message) => this.frames.push(toFrame(message)),
      onComment: (comment) => this.comments.push(comment),
      onRetry: (retryMs) => (this.retryMs = retryMs),
    });
    const close = (how: 'end' | 'cut') => {
      this.ended ??= how;
      this.look();
    };
    response.setEncoding('utf8');
    response.on('end', () => close('end'));
    response.on('close', () => close('cut'));
    response.on('error', () => close('cut'));
    client.on('error', () => close('cut'));
    response.on('data', (chunk: string) => {
      this.raw += chunk;
      parser.feed(chunk);
      this.look();
    });
  }

  /** Resolves with the response's head, whatever its status. */
  static open(
    url: string,
    { method = 'GET', headers = {}, body, paused }: StreamRequest = {},
  ): Promise<EventStream> {
    return new Promise((resolve, reject) => {
      const client = request(url, {
        method,
        agent: false,
        headers: {
          connection: 'keep-alive',
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
      });
      client.once('error', reject);
      client.once('response', (response) => {
        client.off('error', reject);
        const stream = new EventStream(response, client);
        if (paused) response.pause();
        resolve(stream);
      });
      client.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  get status(): number | undefined {
    return this.response.statusCode;
  }

  /** The events in the log; without `ready` and `reset`. */
  get events(): SeenFrame[] {
    return this.frames.filter(({ event }) => event !== 'ready' && event !== 'reset');
  }

  get lastId(): string {
    return this.frames.at(-1)?.id ?? '';
  }

  /** The text that the deltas make. */
  get text(): string {
    return this.events.map(({ data }) => (data.type === 'text-delta' ? String(data['delta']) : '')).join('');
  }

  /** Resolves with the first frame of that name, seen already or to come. Rejects when the stream ends without it. */
  async frame(name: string): Promise<SeenFrame> {
    const find = () => this.frames.find(({ event }) => event === name);
    await this.until(() => find() !== undefined);
    return find()!;
  }

  async until(condition: () => boolean): Promise<void> {
    await this.wait(() => condition() || this.ended !== undefined);
    if (!condition()) throw new Error(`The stream ended (${this.ended}) before that. It said:\n${this.raw}`);
  }

  async closed(): Promise<'end' | 'cut'> {
    await this.wait(() => this.ended !== undefined);
    return this.ended!;
  }

  resume(): void {
    this.response.resume();
  }

  /** The client goes away. */
  leave(): void {
    this.client.destroy();
  }

  private wait(condition: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const patience = setTimeout(
      () => reject(new Error(`That has not come in ${PATIENCE_MS / 1_000} s. The stream said:\n${this.raw}`)),
      PATIENCE_MS,
    ).unref();
    const check = () => condition() && resolve();
    this.waiting.add(check);
    check();
    return promise.finally(() => {
      clearTimeout(patience);
      this.waiting.delete(check);
    });
  }

  private look(): void {
    for (const check of this.waiting) check();
  }
}

function toFrame({ id = '', event = 'message', data }: EventSourceMessage): SeenFrame {
  return { id, event, data: JSON.parse(data) as SeenFrame['data'] };
}
