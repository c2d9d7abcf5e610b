import { weighEvent } from '../events/event-weight.js';
import type { RecordedEvent } from '../events/recorded-event.js';
import type { Run } from './run.js';

/** Limits of the newest events that are kept of a run, in number and bytes; up to twice of both. */
const EVENTS_PER_RUN = 512;
const BYTES_PER_RUN = 1024 * 1024;

/** For how many runs that have ended, and of how many bytes together. */
const ENDED_RUNS = 64;
const ENDED_BYTES = 16 * 1024 * 1024;

interface CachedEvents {
  readonly events: RecordedEvent[];
  bytes: number;
}

/**
 * The newest committed events of the runs that this process owns. Their readers, one or thousands, are served from here,
 * all with the same objects; who asks for older ones reads the storage. Never the truth: only what was committed gets in, and
 * a run that is lost to another owner is forgotten, because its log then grows elsewhere.
 */
export class EventCache {
  private readonly runs = new Map<string, CachedEvents>();
  private readonly ended = new Set<string>();
  private endedBytes = 0;

  /** Notes that this process owns a run whose log is empty, so that its first readers need not ask the storage. */
  begin(runId: string): void {
    if (!this.runs.has(runId)) this.runs.set(runId, { events: [], bytes: 0 });
  }

  /** Adds what was just committed to a run that this process owns. */
  add(runId: string, events: readonly RecordedEvent[]): void {
    if (this.ended.has(runId)) this.forget(runId);
    const known = this.runs.get(runId);
    // What does not follow on from those comes after another owner's events, which only the storage has.
    const kept = known && follows(known.events.at(-1), events[0]) ? known : { events: [], bytes: 0 };
    // One by one: as the arguments of one call, the events of a chatty tool would overflow the stack.
    for (const recorded of events) {
      kept.events.push(recorded);
      kept.bytes += weighEvent(recorded.event);
    }
    // Trimmed by half at a time: moving the rest at every commit would cost more than it frees.
    if (kept.events.length > 2 * EVENTS_PER_RUN || kept.bytes > 2 * BYTES_PER_RUN) trim(kept);
    this.runs.set(runId, kept);
    if (events.at(-1)?.event.type === 'end') this.retire(runId);
  }

  /**
   * Returns the events above `afterSeq`, at most `limit`, none only of a log that is empty; undefined when the storage has to be asked. That is also
   * for a reader who stands at the last event here or beyond it: a database shows a commit before its writer hears of it.
   */
  read(runId: string, afterSeq: number, limit: number): readonly RecordedEvent[] | undefined {
    const kept = this.runs.get(runId)?.events;
    if (kept?.length === 0 && afterSeq === 0) return kept;
    const [first, last] = [kept?.[0], kept?.at(-1)];
    if (!kept || !first || !last || afterSeq < first.seq - 1 || afterSeq >= last.seq) return undefined;
    // Seqs are consecutive, so the place of an event is known without a search.
    const start = afterSeq - first.seq + 1;
    return kept.slice(start, start + limit);
  }

  /**
   * Forgets a run that has ended here, unless its record says that this was its end: in a database that was put back to an
   * earlier state it has not, and goes on, perhaps elsewhere.
   */
  check(runId: string, record: Pick<Run, 'epoch' | 'lastSeq'> | undefined): void {
    if (!this.ended.has(runId)) return;
    const last = this.runs.get(runId)?.events.at(-1);
    if (last?.epoch !== record?.epoch || last?.seq !== record?.lastSeq) this.forget(runId);
  }

  forget(runId: string): void {
    if (this.ended.delete(runId)) this.endedBytes -= this.runs.get(runId)?.bytes ?? 0;
    this.runs.delete(runId);
  }

  private retire(runId: string): void {
    this.ended.add(runId);
    this.endedBytes += this.runs.get(runId)?.bytes ?? 0;
    for (const oldest of this.ended) {
      if (this.ended.size <= ENDED_RUNS && this.endedBytes <= ENDED_BYTES) return;
      this.forget(oldest);
    }
  }
}

/** Drops the oldest, but never the newest of all. */
function trim(kept: CachedEvents): void {
  let bytes = 0;
  let from = kept.events.length;
  while (from > Math.max(0, kept.events.length - EVENTS_PER_RUN)) {
    const next = bytes + weighEvent((kept.events[from - 1] as RecordedEvent).event);
    if (next > BYTES_PER_RUN && bytes > 0) break;
    bytes = next;
    from -= 1;
  }
  kept.events.splice(0, from);
  kept.bytes = bytes;
}

/** Under the same owner: in a log that was put back to an earlier state, the seqs alone may fit by chance. */
function follows(last: RecordedEvent | undefined, next: RecordedEvent | undefined): boolean {
  return last?.epoch === next?.epoch && last?.seq === (next?.seq ?? 0) - 1;
}
