import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { authOf } from '../../auth/authentication.js';
import { attachReader } from '../../chat/run-reader.js';
import { startOf } from '../../events/cursor.js';
import { NothingMore } from '../../http/problem.filter.js';
import { validate } from '../../http/validate.js';
import type { WebRequest, WebResponse } from '../../http/web.exchange.js';
import type { Run } from '../../runs/run.js';
import { ThreadRuns } from '../thread.runs.js';
import { askSchema } from './ai-sdk.dto.js';

/** Starts the run that a chat's transport asks for. REQUEST_INVALID, and what {@link ThreadRuns.start} refuses. */
@Injectable()
export class AskGuard implements CanActivate {
  constructor(private readonly runs: ThreadRuns) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<WebRequest>();
    watch(context, await this.runs.start(request, validate(askSchema, request.body, 'body')));
    return true;
  }
}

/** Finds the run that goes on in `:chatId`; 204 when there is none, which leaves the client's chat as it is. */
@Injectable()
export class ActiveRunGuard implements CanActivate {
  constructor(private readonly runs: ThreadRuns) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<WebRequest>();
    const run = await this.runs.active(authOf(request).principal, String(request.params.chatId));
    if (!run) throw new NothingMore();
    watch(context, run);
    return true;
  }
}

/** From the first event: the client sends no cursor, and rebuilds the message from its `start`. */
function watch(context: ExecutionContext, run: Run): void {
  const http = context.switchToHttp();
  const response = http.getResponse<WebResponse>();
  attachReader(http.getRequest<object>(), { run, cursor: startOf(run.id), response });
}
