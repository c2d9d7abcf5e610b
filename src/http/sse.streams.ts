import type { ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { Subscriber } from 'rxjs';
import type { Frame } from './frame.js';
import { FrameWriter } from './frame.writer.js';
import { OpenStream } from './open.stream.js';

export interface SseOptions {
  /** The longest silence on a stream, in milliseconds; a comment breaks it. Default 10,000: under every proxy's idle limit. */
  readonly heartbeatMs: number;
  /** How long a reader may take nothing of what waits for it before it is cut, in milliseconds. Default 30,000. */
  readonly stallMs: number;
}

export const DEFAULT_SSE_OPTIONS: SseOptions = { heartbeatMs: 10_000, stallMs: 30_000 };

/** What an ended stream may take, once the drain is over, to hand its last bytes to the network. */
const LAST_BYTES_MS = 500;

/** The streams that this process has open: one flush per turn of the event loop and one timer for all of them. */
@Injectable()
export class SseStreams {
  private readonly streams = new Map<ServerResponse, OpenStream>();
  private gathering: FrameWriter[] = [];
  private flushing: NodeJS.Immediate | undefined;
  private heart: NodeJS.Timeout | undefined;
  private onEmpty: (() => void) | undefined;
  private drains = false;

  constructor(private readonly options: SseOptions = DEFAULT_SSE_OPTIONS) {}

  /**
   * From the first frame until the response is closed: a reader that takes the end slowly is still a reader.
   *
   * @param nest who gets the first frame, and with it the headers
   */
  open(response: ServerResponse, nest: Subscriber<Frame>): OpenStream {
    const { heartbeatMs, stallMs } = this.options;
    const writer = new FrameWriter(response, (waiting) => this.flushAfterTurn(waiting), stallMs);
    const stream = new OpenStream(response, writer, nest);
    this.streams.set(response, stream);
    response.once('close', () => this.closed(response, stream));
    this.heart ??= setInterval(() => this.beat(), heartbeatMs / 4).unref();
    if (this.drains) {
      // It was on its way in when the drain began. A reader that kept its connection would come back over it for as long as
      // the server waits for its connections to end.
      response.setHeader('Connection', 'close');
      setImmediate(() => stream.end());
    }
    return stream;
  }

  /** For {@link Follow.ready}: when this response can take more. */
  ready(response: ServerResponse): Promise<void> | undefined {
    return this.streams.get(response)?.writer.ready();
  }

  /** True from the moment in which this process begins to end its streams: what closes then, no client has closed. */
  get draining(): boolean {
    return this.drains;
  }

  get size(): number {
    return this.streams.size;
  }

  /**
   * Ends all streams, spread evenly over the window, so that their readers do not all come back in the same second. Resolves
   * when the last response is closed; readers that do not take their end are cut.
   */
  async drain(windowMs: number): Promise<void> {
    this.drains = true;
    const open = [...this.streams.values()];
    const timers = open.map((stream, index) =>
      setTimeout(() => stream.end(), (windowMs * index) / open.length),
    );
    const deadline = setTimeout(() => this.cut(), windowMs + LAST_BYTES_MS);
    if (this.streams.size > 0) await new Promise<void>((resolve) => (this.onEmpty = resolve));
    for (const timer of [...timers, deadline]) clearTimeout(timer);
  }

  private cut(): void {
    for (const response of this.streams.keys()) response.destroy();
  }

  private closed(response: ServerResponse, stream: OpenStream): void {
    stream.leave();
    this.streams.delete(response);
    if (this.streams.size > 0) return;
    clearInterval(this.heart);
    this.heart = undefined;
    this.onEmpty?.();
  }

  private flushAfterTurn(writer: FrameWriter): void {
    this.gathering.push(writer);
    this.flushing ??= setImmediate(() => {
      this.flushing = undefined;
      const waiting = this.gathering;
      this.gathering = [];
      for (const gathered of waiting) gathered.flush();
    });
  }

  private beat(): void {
    const now = Date.now();
    const silenceMs = (this.options.heartbeatMs * 3) / 4;
    for (const { writer } of this.streams.values()) writer.beat(now, silenceMs);
  }
}
