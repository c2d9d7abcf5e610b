import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { authOf } from '../auth/authentication.js';
import { startOf } from '../events/cursor.js';
import { validate } from '../http/validate.js';
import type { WebRequest, WebResponse } from '../http/web.exchange.js';
import { RunService } from '../runs/run.service.js';
import { idempotencyKeySchema, startRunSchema } from './dto/start-run.dto.js';
import { lastEventIdOf } from './run.guard.js';
import { attachReader, CursorCheck, readCursor } from './run-reader.js';

/**
 * Starts the run that the body asks for, or finds the one that it asked for before: by the same `Idempotency-Key`, or by a
 * `Last-Event-ID`, which fetch clients send when they repeat a POST after a cut. No repeated POST ever starts a second run.
 *
 * A guard for the reason that {@link RunGuard} gives: everything that can be refused is refused before the stream.
 * REQUEST_INVALID, CURSOR_INVALID, and what {@link RunService.start} refuses.
 */
@Injectable()
export class StartRunGuard implements CanActivate {
  constructor(
    private readonly runs: RunService,
    private readonly cursors: CursorCheck,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<WebRequest>();
    const response = context.switchToHttp().getResponse<WebResponse>();
    const { principal } = authOf(request);

    const lastEventId = lastEventIdOf(request);
    if (lastEventId) {
      const run = await this.runs.get(principal, readCursor(lastEventId).runId);
      attachReader(request, { run, ...(await this.cursors.place(run, lastEventId)), response });
      return true;
    }

    const body = validate(startRunSchema, request.body, 'body');
    const key = request.headers['idempotency-key'];
    const run = await this.runs.start({
      principal,
      ...body,
      ...(key !== undefined && { idempotencyKey: validate(idempotencyKeySchema, key, 'Idempotency-Key') }),
    });
    attachReader(request, { run, cursor: startOf(run.id), response });
    return true;
  }
}
