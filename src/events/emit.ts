import type { RunEvent } from './run-event.js';

/**
 * Emits an event of an agent or a tool. Returns at once, before the event is durable; when too much is not yet recorded it returns a
 * promise instead, and a source that can wait must await it before it emits more.
 *
 * After the run has ended or lost its owner, events are dropped in silence: the run's signal has told everybody by then.
 */
export type Emit = (event: RunEvent) => void | Promise<void>;
