import type { RecordedEvent } from '../events/recorded-event.js';
import type { EventLog } from './event.log.js';

/** Events read at a time. */
const PAGE = 1_000;

/**
 * All events of a run, as they are now. Empty for an unknown run.
 *
 * Each page begins with the last event of the one before. When that is gone, the log was compacted between the two: what
 * follows in it would repeat words of the first page, so the reading starts again.
 */
export async function readWholeLog(log: EventLog, runId: string): Promise<RecordedEvent[]> {
  let events: RecordedEvent[] = [];
  for (;;) {
    const last = events.at(-1);
    const page = await log.read(runId, last ? last.seq - 1 : 0, PAGE);
    if (last && page[0]?.seq !== last.seq) {
      events = [];
      continue;
    }
    events = [...events, ...page.slice(last ? 1 : 0)];
    if (page.length < PAGE) return events;
  }
}
