import type { RecordedEvent } from '../events/recorded-event.js';
import { readEvent } from '../events/earlier-records.ts';
import type { LogPage } from '../runs/event-log.js';

/** A batch as it is stored: a row per run and commit costs a tenth of a row per event. */
export interface StoredBatch {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly epoch: number;
  /** One line of JSON per event: `[at, event]`. What else an event carries follows from its batch and its run. */
  readonly frames: string;
}

export function encodeFrames(events: readonly RecordedEvent[]): string {
  let frames = '';
  for (const { at, event } of events) {
    if (frames !== '') frames += '\n';
    frames += `[${at},${JSON.stringify(event)}]`;
  }
  return frames;
}

/**
 * A log as batches. Within each the seqs are consecutive, as its reader expects; a gap begins a new one, and so does what would make
 * one too large to be read a page at a time.
 */
export function toBatches(events: readonly RecordedEvent[]): StoredBatch[] {
  const batches: StoredBatch[] = [];
  let stretch: { firstSeq: number; lastSeq: number; epoch: number; frames: string } | undefined;
  for (const recorded of events) {
    const { seq, epoch } = recorded;
    const frame = encodeFrames([recorded]);
    const goesOn = stretch?.lastSeq === seq - 1 && stretch.epoch === epoch;
    if (stretch && goesOn && stretch.frames.length + frame.length < PAGE_BYTES) {
      stretch.lastSeq = seq;
      stretch.frames += `\n${frame}`;
    } else {
      stretch = { firstSeq: seq, lastSeq: seq, epoch, frames: frame };
      batches.push(stretch);
    }
  }
  return batches;
}

/** The characters of stored events that one page holds; more only when a single event is larger. */
export const PAGE_BYTES = 128 * 1024;

/** The events that a page asks for. */
export interface PageRange {
  readonly afterSeq: number;
  readonly limit: number;
  readonly maxBytes?: number;
}

/**
 * The events above `afterSeq` of batches that are in order: at most `limit`, and of at most `maxBytes`, but at least one.
 *
 * @param atTail true when the log has nothing beyond these batches
 */
export function decodeBatches(
  run: { readonly runId: string; readonly threadId: string },
  batches: Iterable<StoredBatch>,
  { afterSeq, limit, maxBytes = PAGE_BYTES }: PageRange,
  atTail: boolean,
): LogPage {
  const events: RecordedEvent[] = [];
  let bytes = 0;
  for (const { firstSeq, epoch, frames } of batches) {
    let seq = firstSeq;
    for (let start = 0; start <= frames.length; seq += 1) {
      const end = endOfFrame(frames, start);
      if (seq > afterSeq) {
        if (events.length >= limit || (events.length > 0 && bytes + end - start > maxBytes))
          return { events, atTail: false, bytes };
        const [at, event] = JSON.parse(frames.slice(start, end)) as [number, object];
        events.push({ ...run, seq, epoch, at, event: readEvent(event) });
        bytes += end - start;
      }
      start = end + 1;
    }
  }
  return { events, atTail, bytes };
}

/** The part of a batch that comes after that seq, of at most `maxBytes`; at least one event. */
export function partOfBatch(
  { firstSeq, epoch, frames }: StoredBatch,
  { afterSeq, maxBytes }: { readonly afterSeq: number; readonly maxBytes: number },
): StoredBatch {
  let seq = firstSeq;
  let start = 0;
  for (; seq <= afterSeq; seq += 1) start = endOfFrame(frames, start) + 1;
  const first = seq;
  let end = endOfFrame(frames, start);
  for (; end < frames.length; seq += 1) {
    const next = endOfFrame(frames, end + 1);
    if (next - start > maxBytes) break;
    end = next;
  }
  return { firstSeq: first, lastSeq: seq, epoch, frames: frames.slice(start, end) };
}

function endOfFrame(frames: string, start: number): number {
  const end = frames.indexOf('\n', start);
  return end === -1 ? frames.length : end;
}
