import { parseCursor } from '../events/cursor.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEvent, RunEventType } from '../events/run-event.js';

// A record, so that the compiler misses no name: EventSource hands a named event only to those who listen for its name.
const NAMES: Record<RunEventType, true> = {
  'run-start': true,
  'run-resume': true,
  'step-start': true,
  'step-end': true,
  'step-reset': true,
  'text-start': true,
  'text-delta': true,
  'text-end': true,
  'reasoning-start': true,
  'reasoning-delta': true,
  'reasoning-end': true,
  'tool-start': true,
  'tool-progress': true,
  'tool-end': true,
  'approval-request': true,
  'approval-answer': true,
  usage: true,
  custom: true,
  end: true,
};

/** The names of the frames that carry recorded events. */
export const EVENT_NAMES = Object.keys(NAMES) as readonly RunEventType[];

/** Opens every stream, and opens it anew after each reconnect. Not in the log. */
export interface ReadyFrame {
  readonly runId: string;
  readonly threadId: string;
  /** When it was sent, by the server's clock. Servers of before did not say. */
  readonly at?: number;
}

/** What EventSource says of a frame. */
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
