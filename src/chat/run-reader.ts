import type { ServerResponse } from 'node:http';
import { createParamDecorator, Injectable, type ExecutionContext } from '@nestjs/common';
import { AppError } from '../errors.js';
import { parseCursor, startOf, type Cursor } from '../events/cursor.js';
import { rawResponse, type WebResponse } from '../http/web.exchange.js';
import { EventLog } from '../runs/event.log.js';
import { hasEnded, type Run } from '../runs/run.js';
import type { ResetReason } from './chat.frames.js';

/** Somebody who watches a run, and where they stand. Placed by a guard, so that a wrong cursor is a 400 and not a broken stream. */
export interface RunReader {
  readonly run: Run;
  /** What the reader has. Its start when `reset` is set. */
  readonly cursor: Cursor;
  /** The cursor that was asked for cannot be honoured. */
  readonly reset?: ResetReason;
  /** node:http's own: what is set or written here reaches the client on every framework. */
  readonly response: ServerResponse;
}

/** True when the run has ended and the reader has all of it. */
export function hasEverything({ run, cursor, reset }: Pick<RunReader, 'run' | 'cursor' | 'reset'>): boolean {
  return hasEnded(run) && !reset && cursor.seq === run.lastSeq;
}

/** @throws AppError CURSOR_INVALID for an id that this server does not write */
export function readCursor(eventId: string): Cursor {
  const cursor = parseCursor(eventId);
  if (!cursor) throw invalidCursor();
  return cursor;
}

function invalidCursor(): AppError {
  return new AppError(
    'CURSOR_INVALID',
    'This event id was not written by this stream. Connect again without it.',
  );
}

/** Finds out whether a reader's cursor belongs to this run's log as it is now. */
@Injectable()
export class CursorCheck {
  constructor(private readonly log: EventLog) {}

  /**
   * @param eventId what the client sent as its last event id; absent or empty: it has nothing yet
   * @throws AppError CURSOR_INVALID for an id that this server does not write, or another run's
   */
  async place(run: Run, eventId: string | undefined): Promise<{ cursor: Cursor; reset?: ResetReason }> {
    if (!eventId) return { cursor: startOf(run.id) };
    const cursor = readCursor(eventId);
    if (cursor.runId !== run.id) throw invalidCursor();
    const reset = await this.whyNot(run, cursor);
    return reset ? { cursor: startOf(run.id), reset } : { cursor };
  }

  private async whyNot(run: Run, { seq, epoch }: Cursor): Promise<ResetReason | undefined> {
    if (seq === 0) return undefined;
    const [event] = await this.log.read(run.id, seq - 1, 1);
    // Its event was there and is gone: the log was compacted or removed since.
    if (event?.seq !== seq) return seq > run.lastSeq ? 'unknown' : 'expired';
    return event.epoch === epoch ? undefined : 'other-history';
  }
}

const READER = Symbol('run-reader');

/** For the guards: says who reads what on this request. They pass the response as their framework gave it to them. */
export function attachReader(
  request: object,
  { response, ...place }: Omit<RunReader, 'response'> & { readonly response: WebResponse },
): void {
  (request as { [READER]?: RunReader })[READER] = { ...place, response: rawResponse(response) };
}

export function readerOf(request: object): RunReader {
  const reader = (request as { [READER]?: RunReader })[READER];
  if (!reader) throw new Error('This route has no guard that finds its run: bind RunGuard or StartRunGuard.');
  return reader;
}

/** A handler's parameter: the run that the guards found or started, and where its reader stands. */
export const Reader = createParamDecorator((_: unknown, context: ExecutionContext): RunReader =>
  readerOf(context.switchToHttp().getRequest<object>()),
);
