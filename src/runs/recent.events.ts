import type { RecordedEvent } from '../events/recorded-event.js';
import type { Run } from './run.js';

/** How many of a run's newest events are kept, and for how many runs that have ended. */
const EVENTS_PER_RUN = 512;
const ENDED_RUNS = 64;

/**
 * The newest committed events of the runs that this process owns. Their readers, one or thousands, are served from here,
 * all with the same objects; who asks for older ones reads the storage. Never the truth: only what was committed gets in, and
 * a run that is lost to another owner is forgotten, because its log then grows elsewhere.
 */
export class RecentEvents {
  private readonly runs = new Map<string, RecordedEvent[]>();
  private readonly ended = new Set<string>();

  /** Adds what was just committed to a run that this process owns. */
  add(runId: string, events: readonly RecordedEvent[]): void {
    const known = this.runs.get(runId);
    // What does not follow on from those comes after another owner's events, which only the storage has.
    const kept = known && follows(known.at(-1), events[0]) ? known : [];
    // One by one: as the arguments of one call, the events of a chatty tool would overflow the stack.
    for (const event of events) kept.push(event);
    // Trimmed by half at a time: moving the rest at every commit would cost more than it frees.
    if (kept.length > 2 * EVENTS_PER_RUN) kept.splice(0, kept.length - EVENTS_PER_RUN);
    this.runs.set(runId, kept);
    this.ended.delete(runId);
    if (events.at(-1)?.event.type === 'end') this.retire(runId);
  }

  /** The events above `afterSeq`, at most `limit`; undefined when the storage has to be asked. */
  read(runId: string, afterSeq: number, limit: number): readonly RecordedEvent[] | undefined {
    const kept = this.runs.get(runId);
    const first = kept?.[0];
    if (!kept || !first || afterSeq < first.seq - 1) return undefined;
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
    const last = this.runs.get(runId)?.at(-1);
    if (last?.epoch !== record?.epoch || last?.seq !== record?.lastSeq) this.forget(runId);
  }

  forget(runId: string): void {
    this.runs.delete(runId);
    this.ended.delete(runId);
  }

  private retire(runId: string): void {
    this.ended.add(runId);
    for (const oldest of this.ended) {
      if (this.ended.size <= ENDED_RUNS) return;
      this.forget(oldest);
    }
  }
}

/** Under the same owner: in a log that was put back to an earlier state, the seqs alone may fit by chance. */
function follows(last: RecordedEvent | undefined, next: RecordedEvent | undefined): boolean {
  return last?.epoch === next?.epoch && last?.seq === (next?.seq ?? 0) - 1;
}
