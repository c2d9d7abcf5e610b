import { formatCursor, startCursor, type Cursor } from '../events/cursor.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import { Frame } from '../http/frame.js';
import type { Run } from '../runs/run.js';
import type { ResetReason } from '../streams/run-reader.js';

/** A page of the feed, and then some. */
const FRAMES_KEPT = 512;

/**
 * The frames that were made last, each in the place of its event's seq. The readers of a run are served one right after the
 * other, so these are all that anybody asks for again; a weak map of every frame would cost more than making it twice.
 */
const made: { readonly recorded: RecordedEvent; readonly frame: Frame }[] = [];

/** The native protocol: an event is its own frame. Made once, for all the readers that are served the same object. */
export function toFrame(recorded: RecordedEvent): Frame {
  const slot = recorded.seq % FRAMES_KEPT;
  const last = made[slot];
  if (last?.recorded === recorded) return last.frame;
  const frame = new Frame(formatCursor(recorded), recorded.event.type, toData(recorded));
  made[slot] = { recorded, frame };
  return frame;
}

/** The event with the time at which it was recorded, so that a replay shows when a tool really began; words go without. */
function toData({ event, at }: RecordedEvent): string {
  const isWord = event.type === 'text-delta' || event.type === 'reasoning-delta';
  return JSON.stringify(isWord ? event : { ...event, at });
}

/**
 * Opens every stream: what is watched, from where, how far it has got, and what time it is here. Carries the reader's cursor as
 * its id.
 *
 * @param retryMs how long the browser waits before it reconnects
 */
export function readyFrame(run: Run, cursor: Cursor, retryMs: number): Frame {
  const { id: runId, threadId, firstSeq, lastSeq, status } = run;
  const from = Math.max(cursor.seq + 1, firstSeq);
  const ready = { type: 'ready', runId, threadId, from, tail: lastSeq, status, at: Date.now() };
  return new Frame(formatCursor(cursor), 'ready', JSON.stringify(ready), retryMs);
}

/** Says that the asked cursor cannot be honoured: the stream starts again from the first kept event. */
export function resetFrame({ id, firstSeq }: Run, reason: ResetReason): Frame {
  return new Frame(
    formatCursor(startCursor(id)),
    'reset',
    JSON.stringify({ type: 'reset', reason, from: firstSeq }),
  );
}
