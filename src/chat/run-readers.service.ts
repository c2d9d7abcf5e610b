import { Injectable } from '@nestjs/common';
import { getAuthentication } from '../auth/authentication.js';
import { readLastEventId } from '../http/last-event-id.js';
import { validate } from '../http/validate.js';
import type { WebRequest } from '../http/http.types.js';
import { RunService, type StartRunRequest } from '../runs/run.service.js';
import { CursorCheck, readCursor, readFromStart, type RunReader } from '../streams/run-reader.js';
import { readIdempotencyKey } from '../streams/start-run.schemas.js';
import { readGivenMessage } from '../streams/given-message.js';
import { startRunSchema, type StartRunBody } from './dto/start-run.dto.js';

/** Finds out which run a request wants to watch, and from where. */
@Injectable()
export class RunReaders {
  constructor(
    private readonly runs: RunService,
    private readonly cursors: CursorCheck,
  ) {}

  /**
   * Starts the run that the body asks for, or finds the one that it asked for before: by the same `Idempotency-Key`, or by a
   * `Last-Event-ID`, which fetch clients send when they repeat a POST after a cut. No repeated POST ever starts a second run.
   *
   * @throws AppError REQUEST_INVALID, CURSOR_INVALID, and what {@link RunService.start} refuses
   */
  async start(request: WebRequest): Promise<RunReader> {
    const { principal } = getAuthentication(request);
    const lastEventId = readLastEventId(request);
    if (lastEventId) {
      const run = await this.runs.get(principal, readCursor(lastEventId).runId);
      return this.cursors.locate(run, lastEventId);
    }
    const body = validate(startRunSchema, request.body, 'body');
    const start = { ...body, ...readMessage(body) };
    return readFromStart(await this.runs.start({ principal, ...start, ...readIdempotencyKey(request) }));
  }

  /**
   * Finds a run, for a reader whose position is in the request.
   *
   * @throws AppError NOT_FOUND, also for another principal's run; CURSOR_INVALID
   */
  async find(request: WebRequest, runId: string): Promise<RunReader> {
    const run = await this.runs.get(getAuthentication(request).principal, runId);
    return this.cursors.locate(run, readLastEventId(request));
  }
}

/** Without a message or an input, the start repeats the message of the run that it replaces. */
function readMessage({
  message,
  input,
}: StartRunBody): Pick<StartRunRequest, 'message' | 'files' | 'isWithoutMessage'> {
  if (typeof message === 'object') return message;
  if (message !== undefined) return { message };
  return input ? readGivenMessage(input) : { message: '' };
}
