import { compactLog } from '../events/compact-log.js';
import type { EventLog } from './event-log.js';
import type { EventCache } from './event.cache.js';
import { readWholeLog } from './read-log.js';
import type { Retention } from './retention.js';

/** Dependencies of a compaction. */
export interface CompactionDeps {
  readonly retention: Retention;
  readonly log: EventLog;
  readonly recent: EventCache;
}

/** Compacts the log of a run that has ended. */
export async function compactRun(
  runId: string,
  { retention, log, recent }: CompactionDeps,
): Promise<'compacted' | 'refused'> {
  const done = await retention.compact(runId, compactLog(await readWholeLog(log, runId)));
  recent.forget(runId);
  return done;
}
