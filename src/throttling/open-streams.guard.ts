import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { ServerResponse } from 'node:http';
import { getAuthentication } from '../auth/authentication.js';
import { AppError } from '../errors.js';
import { OpenStreams } from './open-streams.js';

/**
 * On every route that opens a stream, after `AuthGuard`: `TOO_MANY_STREAMS` with `Retry-After` when the principal has no place
 * left. The place is given back when the response closes, which every end has in common: completed, failed, client gone,
 * a later guard's refusal.
 */
@Injectable()
export class OpenStreamsGuard implements CanActivate {
  constructor(
    private readonly streams: OpenStreams,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const response = http.getResponse<ServerResponse | { raw: ServerResponse }>();
    const release = await this.acquire(http.getRequest<object>(), response);
    const raw = 'raw' in response ? response.raw : response;
    // A client that left while we waited has had its close event already.
    if (raw.closed) release();
    else raw.once('close', release);
    return true;
  }

  private async acquire(request: object, response: unknown): ReturnType<OpenStreams['acquire']> {
    try {
      return await this.streams.acquire(getAuthentication(request).principal);
    } catch (error) {
      const seconds = error instanceof AppError ? error.options.details?.retryAfterSeconds : undefined;
      if (typeof seconds === 'number')
        this.adapterHost.httpAdapter.setHeader(response, 'Retry-After', String(seconds));
      throw error;
    }
  }
}
