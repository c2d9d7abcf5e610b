import { parseCursor, type Cursor } from '../../../src/events/cursor.js';
import type { RunEvent } from '../../../src/events/run-event.js';
import type { Connection, ObservedFrame, Reader } from '../../../src/testing/history/history.js';

/** A frame as it came over the wire. */
export interface WireFrame {
  readonly type: string;
  readonly data: string;
  readonly id: string;
}

/** Writes down what one reader of a run sees, connection by connection, without tidying it up. */
export class ObservedStream {
  private readonly connections: {
    readonly after: Cursor | undefined;
    readonly frames: ObservedFrame[];
    closed?: Connection['closed'];
  }[] = [];
  private lastId = '';
  private finished = false;

  constructor(
    readonly name: string,
    readonly runId: string,
  ) {}

  /** The id of the last frame: what the reader asks to go on from. Empty at the beginning. */
  get lastEventId(): string {
    return this.lastId;
  }

  /** True once the run's `end` was seen. */
  get ended(): boolean {
    return this.finished;
  }

  /** Events seen so far, over all connections. */
  get events(): number {
    return this.connections.reduce(
      (sum, { frames }) => sum + frames.filter(({ kind }) => kind === 'event').length,
      0,
    );
  }

  connected(): void {
    this.connections.push({ after: parseCursor(this.lastId), frames: [] });
  }

  /** Notes the end of the current connection. Harmless when it has ended before. */
  closed(by: 'reader' | 'other'): void {
    const connection = this.connections.at(-1);
    if (connection) connection.closed ??= { by, at: Date.now() };
  }

  frame({ type, data, id }: WireFrame): void {
    this.lastId = id;
    const observed = this.observe(type, data, id);
    this.connections.at(-1)?.frames.push(observed);
    if (observed.kind === 'event' && observed.recorded.event.type === 'end') this.finished = true;
  }

  toReader(left = false): Reader {
    return { name: this.name, connections: this.connections satisfies Connection[], left };
  }

  private observe(type: string, data: string, id: string): ObservedFrame {
    if (type === 'ready') return { kind: 'ready' };
    if (type === 'reset') return { kind: 'reset', from: (JSON.parse(data) as { from: number }).from };
    // An id that is none of this run's is written down as it is: no log has such an event.
    const cursor = parseCursor(id) ?? { runId: this.runId, epoch: 0, seq: 0 };
    // A frame may carry the time of its event; what the event says is the rest.
    const { at = 0, ...event } = JSON.parse(data) as RunEvent & { at?: number };
    return { kind: 'event', recorded: { ...cursor, threadId: '', at, event } };
  }
}
