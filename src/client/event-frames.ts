import { parseCursor } from '../events/cursor.js';
import { EVENT_TYPES } from '../events/event-traits.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEvent } from '../events/run-event.js';

/** The names of the frames that carry recorded events: EventSource hands a named event only to those who listen for its name. */
export const EVENT_NAMES = EVENT_TYPES;

/** The first frame of every stream, also after each reconnect. Not in the log. */
export interface ReadyFrame {
  readonly runId: string;
  readonly threadId: string;
  /** Time when it was sent, by the server's clock. Servers of before did not say. */
  readonly at?: number;
}

/** The fields of a frame that EventSource passes on. */
export interface Frame {
  readonly data: string;
  /** The frame's `id:`. */
  readonly lastEventId: string;
}

/** Reads a `ready` frame. */
export function readReady(frame: Frame): ReadyFrame {
  return JSON.parse(frame.data) as ReadyFrame;
}

/**
 * The recorded event of a frame; undefined when its id is none of ours, which no server of this protocol sends.
 * What a frame does not say is given: the thread, which `ready` named, and `arrivedAt`, for frames without the time of their record.
 */
export function readEvent(frame: Frame, threadId: string, arrivedAt: number): RecordedEvent | undefined {
  const cursor = parseCursor(frame.lastEventId);
  if (!cursor || cursor.seq === 0) return undefined;
  const { at = arrivedAt, ...event } = JSON.parse(frame.data) as RunEvent & { readonly at?: number };
  return { ...cursor, threadId, at, event: event as RunEvent };
}
