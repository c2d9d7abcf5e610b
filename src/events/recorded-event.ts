import type { RunEvent } from './run-event.js';

/** An event after its append: numbered, and part of the run's log for as long as that is kept. */
export interface RecordedEvent<Event extends RunEvent = RunEvent> {
  readonly runId: string;
  readonly threadId: string;
  /** The event's place in its run: 1, 2, 3, … without a gap. */
  readonly seq: number;
  /** The fencing number of the owner that appended it. Never falls along a log. */
  readonly epoch: number;
  /** Time when it was recorded, in milliseconds since the epoch. */
  readonly at: number;
  readonly event: Event;
}
