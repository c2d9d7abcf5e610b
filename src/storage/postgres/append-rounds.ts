import type { AppendBatch, RunEnding } from '../../runs/event-log.js';
import { encodeFrames } from '../batch.codec.js';

/** The part of a statement that appends to one run: a batch, or several that follow on from each other. */
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
 * round: only batches of one run that do not fit together need another.
 */
export function toRounds(batches: readonly AppendBatch[]): AppendRow[][] {
  const rounds: Map<string, AppendRow>[] = [];
  const latest = new Map<string, number>();
  for (const [place, batch] of batches.entries()) {
    const round = latest.get(batch.runId) ?? -1;
    const row = rounds[round]?.get(batch.runId);
    if (row && follows(row, batch)) join(row, batch, place);
    else {
      const next = (rounds[round + 1] ??= new Map());
      next.set(batch.runId, toRow(batch, place));
      latest.set(batch.runId, round + 1);
    }
  }
  return rounds.map((round) => [...round.values()]);
}

function follows(row: AppendRow, batch: AppendBatch): boolean {
  return row.epoch === batch.epoch && row.lastSeq === batch.afterSeq && !row.ending;
}

function join(row: AppendRow, batch: AppendBatch, place: number): void {
  row.lastSeq += batch.events.length;
  row.frames += `\n${encodeFrames(batch.events)}`;
  if (batch.ending) row.ending = batch.ending;
  row.places.push(place);
}

function toRow({ runId, epoch, afterSeq, events, ending }: AppendBatch, place: number): AppendRow {
  const lastSeq = afterSeq + events.length;
  const row = { runId, epoch, afterSeq, lastSeq, frames: encodeFrames(events), places: [place] };
  return ending ? { ...row, ending } : row;
}
