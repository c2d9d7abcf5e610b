import { setTimeout as sleep } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { ObservedStream } from './observed-stream.js';

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
  /** Refusals of requests for a stream, apart from the 204 at its end. */
  readonly refusals: string[] = [];

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
    const { url, silenceMs } = this.options;
    const { lastEventId } = this.stream;
    const leaving = new AbortController();
    // From the request on: also an answer that never begins is silence.
    const watch = silenceMs === undefined ? undefined : setTimeout(() => leaving.abort(), silenceMs);
    try {
      const response = await fetch(url, {
        headers: { accept: 'text/event-stream', ...(lastEventId && { 'last-event-id': lastEventId }) },
        signal: AbortSignal.any([signal, leaving.signal]),
      });
      if (response.status === 204) return true;
      if (response.status === 200 && response.body)
        await this.read(response.body, { leaving, watch, signal });
      else await this.refused(response);
    } catch (error) {
      if (error instanceof NothingToRead) throw error;
      this.refusals.push(String((error as Error).cause ?? error));
    } finally {
      clearTimeout(watch);
    }
    return false;
  }

  private async refused(response: Response): Promise<void> {
    const { name, runId } = this.stream;
    const text = await response.text();
    if (response.status < 500 && response.status !== 429) {
      throw new NothingToRead(`${name} of ${runId} got ${response.status}: ${text}`);
    }
    this.refusals.push(String(response.status));
  }

  private async read(
    body: ReadableStream<Uint8Array>,
    {
      leaving,
      watch,
      signal,
    }: {
      readonly leaving: AbortController;
      readonly watch: NodeJS.Timeout | undefined;
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    this.stream.connected();
    let room = this.options.eventsPerConnection?.() ?? Infinity;
    const parser = createParser({
      onEvent: ({ id = '', event = 'message', data }) => {
        if (room <= 0) return;
        this.stream.frame({ type: event, data, id });
        if (event !== 'ready' && event !== 'reset') room -= 1;
      },
    });
    const decoder = new TextDecoder();
    try {
      for await (const bytes of body) {
        watch?.refresh();
        parser.feed(decoder.decode(bytes, { stream: true }));
        if (room <= 0) leaving.abort();
      }
    } catch {
      // Cut, by us or by somebody else; what came before it counts.
    }
    this.stream.closed(leaving.signal.aborted || signal.aborted ? 'reader' : 'other');
  }
}

/** The server says that no retry would help. */
class NothingToRead extends Error {}
