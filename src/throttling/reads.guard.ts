import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { cutIfStalled, onReplyStart } from './reply-start.js';
import { RequestTurns, toRaw, type TurnResponse } from './request-turns.js';

/** Holds a place for each request that reads a log or a thread, from its turn to the end of its response. */
@Injectable()
export class Reads extends RequestTurns {
  /**
   * Waits for the request's turn. Its place in the process is free for another as soon as the answer begins; its principal's when
   * the response is over. A stream needs no place once it has begun: it is counted as an open stream.
   *
   * @param mostWaiting see {@link ReadSlots.acquire}
   * @throws AppError `RATE_LIMITED` with `Retry-After`
   */
  async hold(request: object, response: TurnResponse, mostWaiting?: number): Promise<void> {
    const slot = await this.acquire(request, response, mostWaiting);
    const raw = toRaw(response);
    raw.once('close', () => slot.release());
    onReplyStart(raw, () => {
      const isStream = String(raw.getHeader('content-type')).startsWith('text/event-stream');
      if (isStream) return slot.release();
      slot.replyStarted();
      cutIfStalled(raw);
    });
  }
}

/**
 * On every route that reads a log or a thread, after `AuthGuard`: waits for the principal's turn, and refuses with `RATE_LIMITED`
 * when too many wait already. A guard, because guards are awaited before anything is read.
 */
@Injectable()
export class ReadsGuard implements CanActivate {
  protected readonly mostWaiting: number | undefined = undefined;

  constructor(private readonly reads: Reads) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    await this.reads.hold(http.getRequest<object>(), http.getResponse<TurnResponse>(), this.mostWaiting);
    return true;
  }
}

/** The same on routes that reply with a stream: those that wait are counted as open streams already, and none is refused. */
@Injectable()
export class StreamReadsGuard extends ReadsGuard {
  protected override readonly mostWaiting = Infinity;
}
