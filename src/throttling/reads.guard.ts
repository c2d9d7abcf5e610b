import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { ServerResponse } from 'node:http';
import { getAuthentication } from '../auth/authentication.js';
import { AppError } from '../errors.js';
import { ReadSlots, type ReadSlot, type Waiting } from './read-slots.js';

/** Time for which a client may leave a reply unread before it is cut, in milliseconds. Until then it has its place. */
const STALL_MS = 30_000;

type WebResponse = ServerResponse | { readonly raw: ServerResponse };

/** Holds a place for each request that reads a log or a thread, from its turn to the end of its response. */
@Injectable()
export class Reads {
  constructor(
    private readonly slots: ReadSlots,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  /**
   * Waits for the request's turn. Its place in the process is free for another as soon as the answer begins; its principal's when
   * the response is over. A stream needs no place once it has begun: it is counted as an open stream.
   *
   * @param mostWaiting see {@link ReadSlots.acquire}
   * @throws AppError `RATE_LIMITED` with `Retry-After`
   */
  async hold(request: object, response: WebResponse, mostWaiting?: number): Promise<void> {
    const raw = 'raw' in response ? response.raw : response;
    const left = new AbortController();
    const leave = () => left.abort(new AppError('RATE_LIMITED', 'The client has left.'));
    if (raw.closed) leave();
    raw.once('close', leave);
    const slot = await this.acquire(request, response, { closed: left.signal, mostWaiting });
    raw.off('close', leave);
    // It may have left in the moment in which its turn came.
    if (raw.closed) return slot.release();
    raw.once('close', () => slot.release());
    onReplyStart(raw, () => this.begin(raw, slot));
  }

  private async acquire(request: object, response: WebResponse, waiting: Waiting): Promise<ReadSlot> {
    try {
      return await this.slots.acquire(getAuthentication(request).principal, waiting);
    } catch (error) {
      const seconds = error instanceof AppError ? error.options.details?.retryAfterSeconds : undefined;
      if (typeof seconds === 'number')
        this.adapterHost.httpAdapter.setHeader(response, 'Retry-After', String(seconds));
      throw error;
    }
  }

  private begin(raw: ServerResponse, slot: ReadSlot): void {
    const isStream = String(raw.getHeader('content-type')).startsWith('text/event-stream');
    if (isStream) return slot.release();
    slot.replyStarted();
    raw.setTimeout(STALL_MS, () => raw.destroy());
  }
}

/** The same for uploads that are being stored, which take no place of a read: an object store may be slow. */
@Injectable()
export class Uploads extends Reads {}

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
    await this.reads.hold(http.getRequest<object>(), http.getResponse<WebResponse>(), this.mostWaiting);
    return true;
  }
}

/** The same on routes that reply with a stream: those that wait are counted as open streams already, and none is refused. */
@Injectable()
export class StreamReadsGuard extends ReadsGuard {
  protected override readonly mostWaiting = Infinity;
}

/** Every way to answer comes through here, on every framework: the head is written, by name or by itself. */
function onReplyStart(raw: ServerResponse, begin: () => void): void {
  const writeHead = raw.writeHead.bind(raw) as (...head: unknown[]) => ServerResponse;
  raw.writeHead = (...head: unknown[]) => {
    const written = writeHead(...head);
    begin();
    return written;
  };
}
