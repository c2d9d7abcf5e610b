import { setTimeout as sleep } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { ObservedStream } from './observed.stream.js';

export interface FetchReaderOptions {
  readonly name: string;
  readonly runId: string;
  /** The run's event stream. */
  readonly url: string;
  /** Milliseconds before each further attempt. Default 50. */
  readonly pauseMs?: () => number;
  /** Goes away by itself after so many events of a connection, and comes back; asked for each connection. Default: never. */
  readonly eventsPerConnection?: () => number;
  /** Takes a connection for dead after so long without a byte, in milliseconds. Default: never. */
  readonly silenceMs?: number;
}

/** Reads a run with `fetch`, as a client does that was written by hand: back with its last event id after every cut. */
export class FetchReader {
  readonly stream: ObservedStream;

  constructor(private readonly options: FetchReaderOptions) {
    this.stream = new ObservedStream(options.name, options.runId);
  }

  /**
   * Resolves at the run's end, or when `signal` is aborted.
   *
   * @throws Error when the server says that there is nothing to read here: no retry would help
   */
  async follow(signal: AbortSignal): Promise<void> {
    const { pauseMs = () => 50 } = this.options;
    while (!this.stream.ended && !signal.aborted) {
      const gone = await this.connect(signal);
      if (gone) return;
      if (!this.stream.ended) await sleep(pauseMs(), undefined, { signal }).catch(() => undefined);
    }
  }

  /** One connection, until it ends. True when the server says that there is nothing more. */
  private async connect(signal: AbortSignal): Promise<boolean> {
    const leaving = new AbortController();
    const { lastEventId } = this.stream;
    let response: Response;
    try {
      response = await fetch(this.options.url, {
        headers: { accept: 'text/event-stream', ...(lastEventId && { 'last-event-id': lastEventId }) },
        signal: AbortSignal.any([signal, leaving.signal]),
      });
    } catch {
      return false;
    }
    if (response.status === 204) return true;
    if (response.status >= 400 && response.status < 500 && response.status !== 429) {
      throw new Error(
        `${this.stream.name} of ${this.stream.runId} got ${response.status}: ${await response.text()}`,
      );
    }
    if (!response.ok || !response.body) return false;
    this.stream.connected();
    await this.read(response.body, leaving);
    return false;
  }

  private async read(body: ReadableStream<Uint8Array>, leaving: AbortController): Promise<void> {
    const { eventsPerConnection, silenceMs } = this.options;
    let room = eventsPerConnection?.() ?? Infinity;
    const parser = createParser({
      onEvent: ({ id = '', event = 'message', data }) => {
        if (room <= 0) return;
        this.stream.frame({ type: event, data, id });
        if (event !== 'ready' && event !== 'reset') room -= 1;
      },
    });
    const decoder = new TextDecoder();
    const watch = silenceMs === undefined ? undefined : setTimeout(() => leaving.abort(), silenceMs);
    try {
      for await (const bytes of body) {
        watch?.refresh();
        parser.feed(decoder.decode(bytes, { stream: true }));
        if (room <= 0) leaving.abort();
      }
    } catch {
      // Cut, by us or by somebody else; what came before it counts.
    } finally {
      clearTimeout(watch);
    }
  }
}
