import type { ServerResponse } from 'node:http';
import { Logger } from '@nestjs/common';
import type { Observable, Observer, Subscriber, Subscription } from 'rxjs';
import type { Frame } from './frame.js';
import type { FrameWriter } from './frame.writer.js';
import { takeFromNest } from './nest.stream.js';

const logger = new Logger('OpenStream');

/**
 * One reader's stream: subscribes to its frames, gives Nest the first, and writes those after it itself.
 *
 * Of the many thousands that a process may have open, nearly all wait. So it is a class, whose methods are there once, where
 * closures would be there once for each stream; and it forgets Nest's side as soon as the response is ours.
 */
export class OpenStream implements Observer<Frame> {
  private started = false;
  private frames: Subscription | undefined;

  /** @param nest who gets the first frame; undefined once the response is ours */
  constructor(
    private readonly response: ServerResponse,
    readonly writer: FrameWriter,
    private nest: Subscriber<Frame> | undefined,
  ) {}

  follow(frames: Observable<Frame>): void {
    this.frames = frames.subscribe(this);
    this.nest?.add(() => {
      if (this.nest) this.leave();
    });
  }

  next(frame: Frame): void {
    if (this.started) return this.writer.write(frame.text);
    this.started = true;
    this.nest?.next(frame);
    setImmediate(() => this.takeOver());
  }

  error(error: unknown): void {
    if (!this.started) return this.nest?.error(error);
    logger.error({ err: error }, 'A stream ended early; its reader will come back.');
    this.complete();
  }

  /** Not before the next turn: Nest is still writing the first frame in this one. */
  complete(): void {
    setImmediate(() => this.end());
  }

  /** Ends it from our side, in an orderly way, whatever its source would still say. */
  end(): void {
    this.writer.flush();
    if (this.nest) return this.nest.complete();
    this.leave();
    this.response.end();
  }

  /** Nobody reads it any more. */
  leave(): void {
    this.frames?.unsubscribe();
  }

  private takeOver(): void {
    const { nest } = this;
    // Forgotten first: its completion is not the reader's leaving.
    this.nest = undefined;
    if (nest && !takeFromNest(this.response, nest)) this.nest = nest;
  }
}
