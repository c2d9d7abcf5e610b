import type { ServerResponse } from 'node:http';
import { Logger } from '@nestjs/common';
import type { Observable, Observer, Subscription } from 'rxjs';
import type { Frame } from './frame.js';
import type { FrameWriter } from './frame.writer.js';

const logger = new Logger('OpenStream');

/** Actions to take once, when a stream begins. */
export interface StreamOpening {
  /** Writes the head. */
  readonly begin: () => void;
  /** Called when the head is written, or when the client has left before. */
  readonly settled: () => void;
  /** Called in place of `settled` when the frames failed before the head was written: the error can still have a status. */
  readonly failed: (error: unknown) => void;
}

/**
 * One reader's stream: subscribes to its frames, writes the head with the first of them, and then all of them.
 *
 * Of the many thousands that a process may have open, nearly all wait. So it is a class, whose methods are there once, where
 * closures would be there once for each stream; and it forgets how it was opened as soon as it is.
 */
export class OpenStream implements Observer<Frame> {
  private frames: Subscription | undefined;
  private begun = false;

  /** @param opening undefined once the head is written */
  constructor(
    private readonly response: ServerResponse,
    readonly writer: FrameWriter,
    private opening: StreamOpening | undefined,
  ) {}

  follow(frames: Observable<Frame>): void {
    this.frames = frames.subscribe(this);
  }

  /** Writes the head, if it is not written yet. */
  open(): void {
    const { opening } = this;
    if (!opening) return;
    this.opening = undefined;
    try {
      opening.begin();
    } catch (error) {
      // A header of the host's that node refuses to write.
      this.leave();
      return opening.failed(error);
    }
    this.begun = true;
    opening.settled();
    // That was all of it.
    if (this.response.req.method === 'HEAD') this.end();
  }

  /** The one method that is called for each event and reader. */
  next(frame: Frame): void {
    if (this.opening) this.open();
    if (this.begun) this.writer.write(frame.text);
  }

  error(error: unknown): void {
    const { opening } = this;
    if (opening && !this.response.headersSent) {
      this.opening = undefined;
      return opening.failed(error);
    }
    logger.error({ err: error }, 'A stream broke off. Its client will reconnect.');
    this.complete();
  }

  complete(): void {
    this.open();
    if (this.begun) this.end();
  }

  /** Ends it from our side, in an orderly way, whatever its source would still say. */
  end(): void {
    this.writer.flush();
    this.leave();
    this.response.end();
  }

  /** Stops the source, because its reader is gone. */
  leave(): void {
    this.frames?.unsubscribe();
    const { opening } = this;
    this.opening = undefined;
    opening?.settled();
  }
}
