import type { RecordedEvent } from '../events/recorded-event.js';
import type { EventLog } from './event-log.js';

/** Events read at a time, at most. */
const PAGE = 1_000;

/** A fold of a log. */
export interface LogFold<Fold> {
  /** Makes what the events are applied to. Called again when the reading has to start again, then from the log's first event on. */
  readonly begin: (afterSeq: number) => Fold;
  /** Returns the fold with one more event in it. */
  readonly apply: (fold: Fold, recorded: RecordedEvent) => Fold;
  /** The bytes of events that may be read. Default: any. */
  readonly maxBytes?: number;
  /** Bytes of events after which the reading stops, and returns what it has. Default: never. */
  readonly enoughBytes?: number;
  /** The event to begin after. Default 0: the whole log. */
  readonly afterSeq?: number;
}

/**
 * Folds all events of a run, as they are now, page by page: no more of the log is in memory than a page, and what the fold keeps.
 * Undefined when the log has more than `maxBytes`.
 *
 * Each page begins with the last event of the one before. When that is gone, the log was compacted between the two: what
 * follows in it would repeat words of the first page, so the reading starts again.
 */
export async function foldLog<Fold>(
  log: EventLog,
  runId: string,
  { begin, apply, maxBytes = Infinity, enoughBytes = Infinity, afterSeq = 0 }: LogFold<Fold>,
): Promise<Fold | undefined> {
  let fold = begin(afterSeq);
  let bytes = 0;
  let seq = afterSeq;
  /** True when the last event was all that a page could hold: it was still there, and the next page is behind it. */
  let pageIsFull = false;
  for (;;) {
    const overlaps = seq > 0 && !pageIsFull;
    const page = await log.readPage(runId, overlaps ? seq - 1 : seq, PAGE);
    if (overlaps && page.events[0]?.seq !== seq) {
      fold = begin(0);
      bytes = 0;
      seq = 0;
      continue;
    }
    const before = seq;
    for (const recorded of page.events) {
      if (recorded.seq <= seq) continue;
      fold = apply(fold, recorded);
      seq = recorded.seq;
    }
    bytes += page.bytes;
    if (bytes > maxBytes) return undefined;
    if (page.atTail || bytes >= enoughBytes) return fold;
    pageIsFull = seq === before;
  }
}

/** Hands each event to what is made by `begin`, and returns that. As {@link foldLog}. */
export async function readInto<Target extends { map(recorded: RecordedEvent): unknown }>(
  log: EventLog,
  runId: string,
  begin: () => Target,
): Promise<Target> {
  const apply = (target: Target, recorded: RecordedEvent) => {
    target.map(recorded);
    return target;
  };
  return (await foldLog(log, runId, { begin, apply })) as Target;
}

/** Events of a run that follow one another. */
export interface LogPart {
  /** The event that they come after. Lower than asked for if that one is gone: then they are from the log's first event on. */
  readonly afterSeq: number;
  readonly events: RecordedEvent[];
}

/** Returns the events after a seq: all of them, or those of about the first `enoughBytes`. None at the tail. */
export async function readLogPart(
  log: EventLog,
  runId: string,
  { afterSeq, enoughBytes }: { readonly afterSeq: number; readonly enoughBytes: number },
): Promise<LogPart> {
  const begin = (afterSeq: number): LogPart => ({ afterSeq, events: [] });
  const apply = (part: LogPart, recorded: RecordedEvent) => {
    part.events.push(recorded);
    return part;
  };
  return (await foldLog(log, runId, { begin, apply, enoughBytes, afterSeq })) as LogPart;
}

/** All events of a run, as they are now. Empty for an unknown run. For those that need a whole log at once. */
export async function readWholeLog(log: EventLog, runId: string): Promise<RecordedEvent[]> {
  const apply = (events: RecordedEvent[], recorded: RecordedEvent) => {
    events.push(recorded);
    return events;
  };
  return (await foldLog(log, runId, { begin: () => [] as RecordedEvent[], apply })) as RecordedEvent[];
}
