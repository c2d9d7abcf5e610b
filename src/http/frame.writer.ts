import type { ServerResponse } from 'node:http';
import type { Metrics } from '../telemetry/metrics.js';
import { HEARTBEAT } from './frame.js';

/** Bytes that may wait for one reader. A reader with more is dropped, and resumes where it was. */
export const BUFFER_LIMIT_BYTES = 1024 * 1024;

/** Bytes that one writer may gather in a turn before its source has to wait for the write. */
const TURN_LIMIT = 64 * 1024;

/**
 * Bytes that all writers together may gather in a turn. Above it, writers that have gathered more than their share wait for the next
 * turn: otherwise a few readers of a long history would delay everybody else's words.
 */
const TURN_LIMIT_OF_ALL = 256 * 1024;
const SHARE = 8 * 1024;

/** Bytes that all writers of a process have gathered in this turn. */
export interface Turn {
  bytes: number;
}

/**
 * Writes one reader's frames: gathers those of a turn of the event loop and writes them at once, because a socket write costs
 * ten times what it takes to make a frame.
 */
export class FrameWriter {
  private gathered = '';
  private stallWatched = false;
  private lastWriteAt = performance.now();
  private turnOver: (() => void)[] = [];

  /**
   * @param gatherMore called when there is something to flush at the end of this turn
   * @param stallMs how long the reader may take nothing of what waits for it before it is dropped
   * @param metrics undefined if metrics are off
   * @param turn shared by all writers of the process; the flush sets it back
   */
  constructor(
    private readonly response: ServerResponse,
    private readonly gatherMore: (writer: FrameWriter) => void,
    private readonly stallMs: number,
    private readonly turn: Turn = { bytes: 0 },
    private readonly metrics?: Metrics,
  ) {
    response.on('timeout', () => {
      if (response.writableLength > 0) response.destroy();
    });
  }

  write(text: string): void {
    if (this.gathered === '') this.gatherMore(this);
    this.gathered += text;
    this.turn.bytes += text.length;
  }

  /** Writes what was gathered. */
  flush(): void {
    const { response, gathered } = this;
    this.gathered = '';
    if (gathered !== '' && !response.destroyed && !response.writableEnded) this.send(gathered);
    if (this.turnOver.length === 0) return;
    for (const resolve of this.turnOver.splice(0)) resolve();
  }

  /** Undefined when more can be written now; else a promise of the moment when it can, or when the reader is gone. */
  ready(): Promise<void> | undefined {
    const { length } = this.gathered;
    const isTooMuch = length >= TURN_LIMIT || (length >= SHARE && this.turn.bytes >= TURN_LIMIT_OF_ALL);
    return isTooMuch || this.response.writableNeedDrain ? this.drained() : undefined;
  }

  /** A sign of life if there was none for `silenceMs`. A reader that has not taken the last words needs no further ones. */
  beat(now: number, silenceMs: number): void {
    const { response } = this;
    this.watchStall();
    if (response.writableNeedDrain || response.writableEnded) return;
    if (now - this.lastWriteAt >= silenceMs) this.write(HEARTBEAT);
  }

  /**
   * The socket's own timer: it alone sees a write proceed, and who takes a large page slowly is not who takes nothing. Set only
   * while something waits, because every write has to set it again.
   */
  private watchStall(): void {
    const waits = this.response.writableLength > 0;
    if (waits === this.stallWatched) return;
    this.stallWatched = waits;
    this.response.setTimeout(waits ? this.stallMs : 0);
  }

  private send(text: string): void {
    const { response } = this;
    // Looked at before the write, not after: one page may be larger than the limit, and a reader that were dropped for the
    // size of what it is given would come back for the same page for ever.
    if (response.writableLength > BUFFER_LIMIT_BYTES) {
      response.destroy();
      return;
    }
    this.lastWriteAt = performance.now();
    const bytes = toBytes(text);
    response.write(bytes);
    this.metrics?.count('sentBytes', bytes.length);
  }

  private async drained(): Promise<void> {
    if (this.gathered !== '') await new Promise<void>((resolve) => this.turnOver.push(resolve));
    const { response } = this;
    if (!response.writableNeedDrain || response.destroyed) return;
    await new Promise<void>((resolve) => {
      const settle = () => {
        response.off('drain', settle);
        response.off('close', settle);
        resolve();
      };
      response.once('drain', settle);
      response.once('close', settle);
    });
  }
}

/** The text that was written last, to any reader. */
let last = { text: '', bytes: Buffer.alloc(0) };

/** Encoded once for all the readers of a run: they are written the same, one right after the other. */
function toBytes(text: string): Buffer {
  if (last.text !== text) last = { text, bytes: Buffer.from(text) };
  return last.bytes;
}
