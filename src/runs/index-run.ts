import { Logger } from '@nestjs/common';
import type { EventLog } from './event-log.js';
import { foldLog } from './read-log.js';
import type { Retention } from './retention.js';
import { isStorageAway } from './run.errors.js';
import type { RunStore } from './run.store.js';
import { SpokenText, toSaidText } from './spoken-text.js';

/** Dependencies of the indexing of a run. */
export interface IndexingDeps {
  readonly runs: RunStore;
  readonly log: EventLog;
  readonly retention: Retention;
}

const logger = new Logger('Indexing');

/**
 * Lets a search find a run that has ended without it. If its log is damaged, by its question.
 *
 * @throws AppError STORAGE_FAILED when the storage cannot be reached; the run is as before
 */
export async function indexRun(runId: string, { runs, log, retention }: IndexingDeps): Promise<void> {
  const run = await runs.get(runId);
  if (run) await retention.index(runId, toSaidText(run, await readAnswer(runId, log)));
}

async function readAnswer(runId: string, log: EventLog): Promise<string> {
  try {
    const spoken = await foldLog(log, runId, {
      begin: () => new SpokenText(),
      apply: (text, { event }) => text.note(event),
    });
    return String(spoken ?? '');
  } catch (error) {
    // The log may be read later, and the run is indexed only once.
    if (isStorageAway(error)) throw error;
    logger.warn({ err: error, runId }, 'A log could not be indexed.');
    return '';
  }
}
