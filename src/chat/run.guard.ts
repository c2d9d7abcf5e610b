import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { authOf } from '../auth/authentication.js';
import { NothingMore } from '../http/problem.filter.js';
import type { WebRequest, WebResponse } from '../http/web.exchange.js';
import { RunService } from '../runs/run.service.js';
import { attachReader, CursorCheck, hasEverything, readerOf } from './run-reader.js';

/**
 * Finds the run of `:runId` and places its reader. A guard, because guards are awaited: under an interceptor, a handler that
 * fails later than its first turn answers 200 and an error frame where it should have answered 404.
 *
 * NOT_FOUND also for another principal's run; CURSOR_INVALID.
 */
@Injectable()
export class RunGuard implements CanActivate {
  constructor(
    private readonly runs: RunService,
    private readonly cursors: CursorCheck,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<WebRequest>();
    const run = await this.runs.get(authOf(request).principal, String(request.params.runId));
    const place = await this.cursors.place(run, lastEventIdOf(request));
    attachReader(request, { run, ...place, response: context.switchToHttp().getResponse<WebResponse>() });
    return true;
  }
}

/**
 * After {@link RunGuard}, on the stream: 204 when the run has ended and the reader has all of it, which is how an
 * EventSource learns that it need not come back.
 */
@Injectable()
export class UnfinishedRunGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (hasEverything(readerOf(context.switchToHttp().getRequest<object>()))) throw new NothingMore();
    return true;
  }
}

/** The header that an EventSource sends by itself; a new EventSource object has none, so it may put the id into the URL. */
export function lastEventIdOf({ headers, query }: Pick<WebRequest, 'headers' | 'query'>): string | undefined {
  const header = headers['last-event-id'];
  if (typeof header === 'string' && header !== '') return header;
  const { lastEventId } = query;
  // Given twice it is a list, which is no event id: refused, where ignoring it would repeat the whole run.
  return typeof lastEventId === 'object' ? JSON.stringify(lastEventId) : (lastEventId as string | undefined);
}
