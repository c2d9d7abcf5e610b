/** A place in a run's log: "I have everything up to and including this event". */
export interface Cursor {
  readonly runId: string;
  /** 0 only together with seq 0: before the first event. */
  readonly epoch: number;
  readonly seq: number;
}

/** Epochs are large and on every frame: in base 36 they are a third shorter. */
const EPOCH_RADIX = 36;

// WHATWG fetch will preflight a Last-Event-ID that is longer than 128 bytes or leaves this alphabet. Ten digits of an epoch are a
// safe integer.
const EVENT_ID = /^([A-Za-z0-9_-]{1,64})\.(0|[1-9a-z][\da-z]{0,9})\.(0|[1-9]\d{0,9})$/;

/** The cursor of a viewer that has seen nothing of this run yet. */
export function startCursor(runId: string): Cursor {
  return { runId, epoch: 0, seq: 0 };
}

/** `<runId>.<epoch in base 36>.<seq>`: what goes into an SSE frame's `id:` and comes back as `Last-Event-ID`. */
export function formatCursor({ runId, epoch, seq }: Cursor): string {
  return `${runId}.${epoch.toString(EPOCH_RADIX)}.${seq}`;
}

/**
 * Reads an event id that a client sent. Clients can send anything: what {@link formatCursor} could not have
 * written comes back as undefined, never as a guess.
 */
export function parseCursor(eventId: string): Cursor | undefined {
  const match = EVENT_ID.exec(eventId);
  if (!match) return undefined;
  const [, runId, epoch, seq] = match as unknown as [string, string, string, string];
  const cursor = { runId, epoch: parseInt(epoch, EPOCH_RADIX), seq: Number(seq) };
  return (cursor.seq === 0) === (cursor.epoch === 0) ? cursor : undefined;
}
