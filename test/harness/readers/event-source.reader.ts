import { EventSource } from 'eventsource';
import { EVENT_NAMES } from '../../../src/client/event-frames.js';
import { ObservedStream } from './observed-stream.js';

export interface EventSourceReaderOptions {
  readonly name: string;
  readonly runId: string;
  /** The run's event stream. */
  readonly url: string;
}

/** Reads a run with an EventSource, as a browser does: it reconnects by itself, in its own time. */
export class EventSourceReader {
  readonly stream: ObservedStream;

  constructor(private readonly options: EventSourceReaderOptions) {
    this.stream = new ObservedStream(options.name, options.runId);
  }

  /** Resolves at the run's end, or when `signal` is aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!this.stream.ended && !signal.aborted) await this.untilClosed(signal);
  }

  /** An EventSource gives up when it is answered anything but a stream; its page then makes a new one. */
  private untilClosed(signal: AbortSignal): Promise<void> {
    const url = new URL(this.options.url);
    if (this.stream.lastEventId) url.searchParams.set('lastEventId', this.stream.lastEventId);
    const source = new EventSource(url);
    return new Promise((resolve) => {
      const close = () => {
        this.stream.closed('reader');
        source.close();
        signal.removeEventListener('abort', close);
        resolve();
      };
      signal.addEventListener('abort', close, { once: true });
      source.addEventListener('open', () => this.stream.connected());
      source.addEventListener('error', () => {
        this.stream.closed('other');
        if (source.readyState === EventSource.CLOSED) setTimeout(close, 100);
      });
      for (const type of ['ready', 'reset', ...EVENT_NAMES]) {
        source.addEventListener(type, ({ data, lastEventId }) => {
          this.stream.frame({ type, data: data as string, id: lastEventId });
          if (this.stream.ended) close();
        });
      }
    });
  }
}
