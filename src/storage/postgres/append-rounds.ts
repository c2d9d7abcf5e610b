import type { AppendBatch, RunEnding } from '../../runs/event-log.js';
import { encodeFrames, PAGE_BYTES, toBatches } from '../batch.codec.js';

/**
 * The part of a statement that appends to one run: a batch, or several that follow on from each other, or a part of one that is too
 * large. No row holds more than a page unless a single event does: a page that is read fetches whole rows.
 */
export interface AppendRow {
  readonly runId: string;
  readonly epoch: number;
  readonly afterSeq: number;
  lastSeq: number;
  frames: string;
  ending?: RunEnding;
  /** Positions of these batches among those to append. They are appended or refused together. */
  readonly places: number[];
}

/**
 * Batches as rows, at most one row per run in each round; a run's rounds follow its batches' order. Nearly always there is one
 * round: only what does not fit into one row of its run needs another.
 */
export function toRounds(batches: readonly AppendBatch[]): AppendRow[][] {
  const rounds: Map<string, AppendRow>[] = [];
  const latest = new Map<string, number>();
  for (const [place, batch] of batches.entries()) {
    for (const added of toRows(batch, place)) {
      const round = latest.get(batch.runId) ?? -1;
      const row = rounds[round]?.get(batch.runId);
      if (row && follows(row, added)) join(row, added);
      else {
        const next = (rounds[round + 1] ??= new Map());
        next.set(batch.runId, added);
        latest.set(batch.runId, round + 1);
      }
    }
  }
  return rounds.map((round) => [...round.values()]);
}

function follows(row: AppendRow, next: AppendRow): boolean {
  const fits = row.frames.length + next.frames.length < PAGE_BYTES;
  return fits && row.epoch === next.epoch && row.lastSeq === next.afterSeq && !row.ending;
}

function join(row: AppendRow, next: AppendRow): void {
  row.lastSeq = next.lastSeq;
  row.frames += `\n${next.frames}`;
  if (next.ending) row.ending = next.ending;
  row.places.push(...next.places);
}

function toRows({ runId, epoch, afterSeq, events, ending }: AppendBatch, place: number): AppendRow[] {
  const frames = encodeFrames(events);
  const lastSeq = afterSeq + events.length;
  const row = { runId, epoch, afterSeq, lastSeq, frames, ...(ending && { ending }), places: [place] };
  if (frames.length < PAGE_BYTES || events.length === 1) return [row];
  return toBatches(events).map((part) => ({
    runId,
    epoch,
    afterSeq: part.firstSeq - 1,
    lastSeq: part.lastSeq,
    frames: part.frames,
    // The run ends with its last event.
    ...(ending && part.lastSeq === lastSeq && { ending }),
    places: [place],
  }));
}
