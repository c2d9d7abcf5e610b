import { Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import { parseCursor, startCursor, type Cursor } from '../events/cursor.js';
import { EventLog } from '../runs/event-log.js';
import { hasEnded, type Run } from '../runs/run.js';
import { ATTRIBUTES } from '../telemetry/names.js';
import { Telemetry } from '../telemetry/telemetry.js';

/** Reason why a cursor cannot be honoured. */
export type ResetReason = (typeof RESET_REASONS)[number];

const RESET_REASONS = ['expired', 'unknown', 'other-history'] as const;

/** A reader of a run, and its position in the run's log. */
export interface RunReader {
  readonly run: Run;
  /** The last event that the reader has. The run's start when `reset` is set. */
  readonly cursor: Cursor;
  /** Set when the cursor that was asked for cannot be honoured. */
  readonly reset?: ResetReason;
}

/** Returns a reader that has nothing of the run yet. */
export function readFromStart(run: Run): RunReader {
  return { run, cursor: startCursor(run.id) };
}

/** True when the run has ended and the reader has all of it. */
export function hasEverything({ run, cursor, reset }: RunReader): boolean {
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

/** Checks whether a reader's cursor belongs to the log of its run as it is now. */
@Injectable()
export class CursorCheck {
  constructor(
    private readonly log: EventLog,
    private readonly telemetry: Telemetry = new Telemetry(),
  ) {
    for (const reason of RESET_REASONS) this.count(reason, 0);
  }

  /**
   * Returns the reader with the position that it asks for, or with the run's start where that cannot be honoured.
   *
   * @param eventId what the client sent as its last event id; absent or empty: it has nothing yet
   * @throws AppError CURSOR_INVALID for an id that this server does not write, or another run's
   */
  async locate(run: Run, eventId: string | undefined): Promise<RunReader> {
    if (!eventId) return readFromStart(run);
    const cursor = readCursor(eventId);
    if (cursor.runId !== run.id) throw invalidCursor();
    const reset = await this.findResetReason(run, cursor);
    if (reset) this.count(reset, 1);
    return reset ? { ...readFromStart(run), reset } : { run, cursor };
  }

  private count(reason: ResetReason, times: number): void {
    this.telemetry.metrics?.count('cursorResets', times, { [ATTRIBUTES.reason]: reason });
  }

  private async findResetReason(run: Run, { seq, epoch }: Cursor): Promise<ResetReason | undefined> {
    if (seq === 0) return undefined;
    const [event] = await this.log.read(run.id, seq - 1, 1);
    // Its event was there and is gone: the log was compacted or removed since.
    if (event?.seq !== seq) return seq > run.lastSeq ? 'unknown' : 'expired';
    return event.epoch === epoch ? undefined : 'other-history';
  }
}
