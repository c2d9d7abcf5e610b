import type { ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { FrameWriter } from './frame.writer.js';

export interface SseOptions {
  /** The longest silence on a stream, in milliseconds; a comment breaks it. Default 10,000: under every proxy's idle limit. */
  readonly heartbeatMs: number;
}

export const DEFAULT_SSE_OPTIONS: SseOptions = { heartbeatMs: 10_000 };

interface OpenStream {
  readonly writer: FrameWriter;
  readonly close: () => void;
}

/** The streams that this process has open: one flush per turn of the event loop and one timer for all of them. */
@Injectable()
export class SseStreams {
  private readonly streams = new Map<ServerResponse, OpenStream>();
  private readonly gathering = new Set<FrameWriter>();
  private flushing: NodeJS.Immediate | undefined;
  private heart: NodeJS.Timeout | undefined;
  private onEmpty: (() => void) | undefined;

  constructor(private readonly options: SseOptions = DEFAULT_SSE_OPTIONS) {}

  /** @param close ends the stream from our side, in an orderly way */
  open(response: ServerResponse, close: () => void): FrameWriter {
    const writer = new FrameWriter(response, (waiting) => this.flushAfterTurn(waiting));
    this.streams.set(response, { writer, close });
    this.heart ??= setInterval(() => this.beat(), this.options.heartbeatMs / 4).unref();
    return writer;
  }

  /** For {@link Follow.ready}: when this response can take more. */
  ready(response: ServerResponse): Promise<void> | undefined {
    return this.streams.get(response)?.writer.ready();
  }

  closed(response: ServerResponse): void {
    this.streams.delete(response);
    if (this.streams.size > 0) return;
    clearInterval(this.heart);
    this.heart = undefined;
    this.onEmpty?.();
  }

  get size(): number {
    return this.streams.size;
  }

  /**
   * Ends all streams, spread evenly over the window, so that their readers do not all come back in the same second. Resolves
   * when the last is gone.
   */
  async drain(windowMs: number): Promise<void> {
    const open = [...this.streams.entries()];
    const timers = open.map(([response, { close }], index) =>
      setTimeout(
        () => {
          close();
          // An orderly end needs a reader that takes it; the others are cut.
          if (response.writableNeedDrain) response.destroy();
        },
        (windowMs * index) / open.length,
      ),
    );
    if (this.streams.size > 0) await new Promise<void>((resolve) => (this.onEmpty = resolve));
    for (const timer of timers) clearTimeout(timer);
  }

  private flushAfterTurn(writer: FrameWriter): void {
    this.gathering.add(writer);
    this.flushing ??= setImmediate(() => {
      this.flushing = undefined;
      const waiting = [...this.gathering];
      this.gathering.clear();
      for (const gathered of waiting) gathered.flush();
    });
  }

  private beat(): void {
    const now = Date.now();
    const silenceMs = (this.options.heartbeatMs * 3) / 4;
    for (const { writer } of this.streams.values()) writer.beat(now, silenceMs);
  }
}
