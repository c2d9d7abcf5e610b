import type { RecordedEvent } from '../events/recorded-event.js';
import type { RunEvent } from '../events/run-event.js';

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

/** A log as batches. Within each the seqs are consecutive, as its reader expects; a gap begins a new one. */
export function batchesOf(events: readonly RecordedEvent[]): StoredBatch[] {
  const stretches: RecordedEvent[][] = [];
  for (const event of events) {
    const last = stretches.at(-1)?.at(-1);
    if (last?.seq === event.seq - 1 && last.epoch === event.epoch) stretches.at(-1)?.push(event);
    else stretches.push([event]);
  }
  return stretches.map((stretch) => ({
    firstSeq: stretch[0]?.seq ?? 0,
    lastSeq: stretch.at(-1)?.seq ?? 0,
    epoch: stretch[0]?.epoch ?? 0,
    frames: encodeFrames(stretch),
  }));
}

/** The events above `afterSeq`, at most `limit`, of batches that are in order. */
export function decodeBatches(
  run: { readonly runId: string; readonly threadId: string },
  batches: Iterable<StoredBatch>,
  { afterSeq, limit }: { readonly afterSeq: number; readonly limit: number },
): RecordedEvent[] {
  const events: RecordedEvent[] = [];
  for (const { firstSeq, epoch, frames } of batches) {
    let seq = firstSeq;
    for (const frame of frames.split('\n')) {
      if (events.length >= limit) return events;
      if (seq > afterSeq) {
        const [at, event] = JSON.parse(frame) as [number, RunEvent];
        events.push({ ...run, seq, epoch, at, event });
      }
      seq += 1;
    }
  }
  return events;
}
