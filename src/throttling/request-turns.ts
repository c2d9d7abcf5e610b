import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { ServerResponse } from 'node:http';
import { getAuthentication } from '../auth/authentication.js';
import { AppError } from '../errors.js';
import { ReadSlots, type ReadSlot } from './read-slots.js';

/** The response of node:http, or that of a framework around it. */
export type TurnResponse = ServerResponse | { readonly raw: ServerResponse };

export function toRaw(response: TurnResponse): ServerResponse {
  return 'raw' in response ? response.raw : response;
}

/** Turns of requests, by their principals. */
@Injectable()
export class RequestTurns {
  constructor(
    private readonly slots: ReadSlots,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  /**
   * Waits for the request's turn, which then is the caller's to release.
   *
   * @param mostWaiting see {@link ReadSlots.acquire}
   * @throws AppError `RATE_LIMITED`, with `Retry-After` if too many wait; also when the client has left
   */
  protected async acquire(request: object, response: TurnResponse, mostWaiting?: number): Promise<ReadSlot> {
    const { signal, forget } = watchClose(toRaw(response));
    try {
      const { principal } = getAuthentication(request);
      const slot = await this.slots.acquire(principal, { closed: signal, mostWaiting });
      // It may have left in the moment in which its turn came.
      if (signal.aborted) slot.release();
      signal.throwIfAborted();
      return slot;
    } catch (error) {
      const seconds = error instanceof AppError ? error.options.details?.retryAfterSeconds : undefined;
      if (typeof seconds === 'number')
        this.adapterHost.httpAdapter.setHeader(response, 'Retry-After', String(seconds));
      throw error;
    } finally {
      forget();
    }
  }
}

/** Returns a signal that aborts when the client leaves; `forget` stops watching. */
export function watchClose(raw: ServerResponse): {
  readonly signal: AbortSignal;
  readonly forget: () => void;
} {
  const left = new AbortController();
  const leave = () => left.abort(new AppError('RATE_LIMITED', 'The client has left.'));
  if (raw.closed) leave();
  raw.once('close', leave);
  return { signal: left.signal, forget: () => void raw.off('close', leave) };
}
