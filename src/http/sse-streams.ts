import type { ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { Metrics, Reading } from '../telemetry/metrics.js';
import { ATTRIBUTES } from '../telemetry/names.js';
import { getArrival } from './arrival.js';
import { writeEventStreamHead } from './event-stream-head.js';
import { FrameWriter, type Turn } from './frame.writer.js';
import { OpenStream, type StreamOpening } from './open-stream.js';
import { rawResponse, type WebResponse } from './http.types.js';

export interface SseOptions {
  /** The longest silence on a stream, in milliseconds; a comment breaks it. Default 10,000: under every proxy's idle limit. */
  readonly heartbeatMs: number;
  /** Time for which a reader may leave waiting data unread before it is cut, in milliseconds. Default 30,000. */
  readonly stallMs: number;
}

export const DEFAULT_SSE_OPTIONS: SseOptions = { heartbeatMs: 10_000, stallMs: 30_000 };

/** Time for an ended stream to hand its last bytes to the network after the drain, in milliseconds. */
const LAST_BYTES_MS = 500;

/** The streams that this process has open: one flush per turn of the event loop and one timer for all of them. */
@Injectable()
export class SseStreams {
  private readonly streams = new Map<ServerResponse, OpenStream>();
  private gathering: FrameWriter[] = [];
  private readonly turn: Turn = { bytes: 0 };
  private flushing: NodeJS.Immediate | undefined;
  private heart: NodeJS.Timeout | undefined;
  private onEmpty: (() => void) | undefined;
  private drains = false;
  private protocolsSeen: ReadonlySet<string> = new Set(['chat']);

  constructor(
    private readonly options: SseOptions = DEFAULT_SSE_OPTIONS,
    private readonly metrics?: Metrics,
  ) {
    metrics?.observe('openStreams', () => this.countByProtocol());
  }

  /**
   * Prepares a stream, whose head is written with its first frame. From then on it counts as open, until the response is closed:
   * a reader that takes the end slowly is still a reader.
   */
  open(response: WebResponse, opening: Omit<StreamOpening, 'begin'>): OpenStream {
    const raw = rawResponse(response);
    const { stallMs } = this.options;
    const writer = new FrameWriter(
      raw,
      (waiting) => this.flushAfterTurn(waiting),
      stallMs,
      this.turn,
      this.metrics,
    );
    const stream = new OpenStream(raw, writer, { ...opening, begin: () => this.begin(response, stream) });
    raw.once('close', () => this.closed(raw, stream));
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

  private begin(response: WebResponse, stream: OpenStream): void {
    // One that was on its way in when the drain began ends at once. A reader that kept its connection would come back over it
    // for as long as the server waits for its connections to end.
    const raw = rawResponse(response);
    writeEventStreamHead(response, !this.drains);
    this.measureFirstFrame(raw);
    // A line end first, as Nest writes it: readers pass over it, and the head leaves the process.
    stream.writer.write('\n');
    this.streams.set(raw, stream);
    this.heart ??= setInterval(() => this.beat(), this.options.heartbeatMs / 4).unref();
    if (this.drains) setImmediate(() => stream.end());
  }

  private measureFirstFrame(response: ServerResponse): void {
    const arrival = this.metrics && getArrival(response);
    if (!arrival) return;
    this.metrics.record('firstFrame', (performance.now() - arrival.at) / 1000, {
      [ATTRIBUTES.protocol]: arrival.protocol,
    });
  }

  private countByProtocol(): Reading[] {
    const counts = new Map<string, number>();
    for (const response of this.streams.keys()) {
      const { protocol = '' } = getArrival(response) ?? {};
      counts.set(protocol, (counts.get(protocol) ?? 0) + 1);
    }
    // A series that ended with its last stream would keep the value before.
    this.protocolsSeen = new Set([...this.protocolsSeen, ...counts.keys()]);
    return [...this.protocolsSeen].map((protocol) => [
      counts.get(protocol) ?? 0,
      { [ATTRIBUTES.protocol]: protocol },
    ]);
  }

  private cut(): void {
    for (const response of this.streams.keys()) response.destroy();
  }

  private closed(response: ServerResponse, stream: OpenStream): void {
    stream.leave();
    if (!this.streams.delete(response) || this.streams.size > 0) return;
    clearInterval(this.heart);
    this.heart = undefined;
    this.onEmpty?.();
  }

  private flushAfterTurn(writer: FrameWriter): void {
    this.gathering.push(writer);
    this.flushing ??= setImmediate(() => {
      this.flushing = undefined;
      this.turn.bytes = 0;
      const waiting = this.gathering;
      this.gathering = [];
      for (const gathered of waiting) gathered.flush();
    });
  }

  private beat(): void {
    const now = performance.now();
    const silenceMs = (this.options.heartbeatMs * 3) / 4;
    for (const { writer } of this.streams.values()) writer.beat(now, silenceMs);
  }
}
