import { isDeepStrictEqual } from 'node:util';
import type { RecordedEvent } from '../../events/recorded-event.js';
import { applyEvent, emptyView, foldRun, type RunView } from '../../events/run-view.js';
import type { Outage, Reader, RunHistory } from './history.js';
import type { Finding } from './log-checks.js';

/** Returns everything that is wrong with one reader's view of a run. Pure. */
export function checkReader(
  {
    runId,
    log,
    written = log,
    outages = [],
  }: Pick<RunHistory, 'runId' | 'log' | 'outages'> & {
    /** The log before it was compacted. Default: it was not. */
    readonly written?: readonly RecordedEvent[];
  },
  reader: Reader,
): Finding[] {
  const stored = toMap(log);
  const before = toMap(written);
  const isKept = (seq: number) => stored.has(seq) || written === log;
  const findings: Finding[] = [];
  const note = (name: Finding[0], detail: string) => findings.push([name, `${reader.name}: ${detail}`]);

  let view = emptyView(runId);
  let seen = new Set<number>();
  let ended = false;
  for (const { after, frames, closed } of reader.connections) {
    let next = Math.max((after?.seq ?? 0) + 1, log[0]?.seq ?? 1);
    // A reader without a cursor starts over.
    if (!after) [view, seen] = [emptyView(runId), new Set()];
    for (const frame of frames) {
      if (frame.kind === 'ready') continue;
      if (frame.kind === 'reset') {
        [view, seen] = [emptyView(runId), new Set()];
        next = frame.from;
        continue;
      }
      const { recorded } = frame;
      const { seq } = recorded;
      if (ended) note('after-end', `${recorded.event.type} at ${seq}`);
      if (seen.has(seq)) note('duplicate', `${seq} came again`);
      else if (seq < next) note('nonmonotonic-poll', `${seq} came where ${next} was due`);
      else if (hasAny(next, seq, isKept)) note('poll-skip', `${seq} came where ${next} was due`);
      const difference = compare(recorded, stored.get(seq)) && compare(recorded, before.get(seq));
      if (difference) note(difference, `${recorded.event.type} at ${seq}, owner ${recorded.epoch}`);
      seen.add(seq);
      next = seq + 1;
      view = show(view, recorded);
      ended = recorded.event.type === 'end';
    }
    if (closed?.by === 'other' && !ended && !isWithin(outages, closed.at))
      note('stream-cut', `after ${view.seq}`);
  }

  if (ended) {
    if (!sameView(view, foldRun(runId, log))) note('divergent-view', `shows ${view.parts.length} parts`);
  } else if (!reader.left) note('no-end', `stopped at ${view.seq}`);
  return findings;
}

function toMap(log: readonly RecordedEvent[]): ReadonlyMap<number, RecordedEvent> {
  return new Map(log.map((recorded) => [recorded.seq, recorded]));
}

/** True if a seq from `first` and before `end` passes the test. */
function hasAny(first: number, end: number, test: (seq: number) => boolean): boolean {
  for (let seq = first; seq < end; seq += 1) if (test(seq)) return true;
  return false;
}

/** Delay with which a reader on a busy machine may notice that its connection broke, in milliseconds. */
const NOTICE_MS = 1_000;

function isWithin(outages: readonly Outage[], at: number): boolean {
  return outages.some(({ from, to }) => from <= at && at <= to + NOTICE_MS);
}

/** Compares an event that was promised, or shown, with the event at its position in the log. */
export function compare(
  promised: RecordedEvent,
  stored: RecordedEvent | undefined,
): 'lost-write' | 'inconsistent-offsets' | undefined {
  if (!stored || stored.runId !== promised.runId) return 'lost-write';
  const same = promised.epoch === stored.epoch && isDeepStrictEqual(promised.event, stored.event);
  return same ? undefined : 'inconsistent-offsets';
}

/** Folds an event as a plain viewer does: it trusts its stream, and so shows every fault of it. */
function show(view: RunView, recorded: RecordedEvent): RunView {
  return applyEvent({ ...view, seq: 0 }, recorded);
}

/** Times aside: a stream need not carry them. */
function sameView(one: RunView, other: RunView): boolean {
  return isDeepStrictEqual(withoutTimes(one), withoutTimes(other));
}

function withoutTimes({ parts, ...view }: RunView): object {
  return { ...view, parts: parts.map((part) => (part.kind === 'tool' ? { ...part, startedAt: 0 } : part)) };
}
