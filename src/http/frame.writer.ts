import type { ServerResponse } from 'node:http';
import { HEARTBEAT } from './frame.js';

/** What a reader may make the process hold before it is dropped. It resumes where it was. */
export const BUFFER_LIMIT_BYTES = 1024 * 1024;

/** How long a reader may take nothing at all before it is dropped. */
const STALL_LIMIT_MS = 30_000;

/**
 * Writes one reader's frames: gathers those of a turn of the event loop and writes them at once, because a socket write costs
 * ten times what it takes to make a frame.
 */
export class FrameWriter {
  private gathered = '';
  private lastWriteAt = Date.now();
  private stalledSince: number | undefined;
  private turnOver: (() => void)[] = [];

  /** @param gatherMore called when there is something to flush at the end of this turn */
  constructor(
    private readonly response: ServerResponse,
    private readonly gatherMore: (writer: FrameWriter) => void,
  ) {}

  write(text: string): void {
    if (this.gathered === '') this.gatherMore(this);
    this.gathered += text;
  }

  /** Writes what was gathered. */
  flush(): void {
    const { response, gathered } = this;
    this.gathered = '';
    if (gathered !== '' && !response.destroyed && !response.writableEnded) {
      this.lastWriteAt = Date.now();
      const keptUp = response.write(gathered);
      // A reader this far behind is cheaper to bring back later than to carry along.
      if (!keptUp && response.writableLength > BUFFER_LIMIT_BYTES) response.destroy();
    }
    for (const resolve of this.turnOver.splice(0)) resolve();
  }

  /** Undefined when more can be written now; else a promise of the moment when it can, or when nobody reads any more. */
  ready(): Promise<void> | undefined {
    if (this.gathered === '' && !this.response.writableNeedDrain) return undefined;
    return this.drained();
  }

  /** A sign of life if there was none for `silenceMs`, and the end for a reader that has stopped taking anything. */
  beat(now: number, silenceMs: number): void {
    if (this.response.writableNeedDrain) {
      this.stalledSince ??= now;
      if (now - this.stalledSince > STALL_LIMIT_MS) this.response.destroy();
      return;
    }
    this.stalledSince = undefined;
    if (now - this.lastWriteAt >= silenceMs) this.write(HEARTBEAT);
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
