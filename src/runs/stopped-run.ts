import type { StoppedRun } from '../agents/agent.js';
import { applyEvent, emptyView, listTexts } from '../events/run-view.js';
import { readAncestors } from './ancestors.js';
import type { EventLog } from './event-log.js';
import type { Run } from './run.js';
import type { RunStore } from './run.store.js';
import { foldLog } from './read-log.js';

/** So many runs in a row are looked at. Each was stopped before it stored anything. */
const MOST_RUNS = 50;

/**
 * Reads the runs that a run continues, back to the one that its agent has the state of. Undefined if the nearest was neither stopped nor
 * failed.
 */
export async function readStoppedBefore(
  run: Run,
  storedBy: string | undefined,
  { runs, log }: { readonly runs: RunStore; readonly log: EventLog },
): Promise<StoppedRun | undefined> {
  const stopped: StoppedRun[] = [];
  for await (const before of readAncestors(run, runs)) {
    if (before.status !== 'cancelled' && before.status !== 'failed') break;
    stopped.unshift(await readStopped(before, { log, isStored: before.id === storedBy }));
    // A run that went on from the middle of another has left out how that one ended.
    const isFromMiddle = before.given?.fromCheckpoint !== undefined;
    if (before.id === storedBy || isFromMiddle || stopped.length === MOST_RUNS) break;
  }
  if (stopped.length === 0) return undefined;
  return {
    texts: stopped.flatMap(({ texts }) => texts),
    unheard: stopped.flatMap(({ unheard }) => unheard),
    isFiltered: stopped.some(({ isFiltered }) => isFiltered),
  };
}

async function readStopped(
  { id, status, messageId, message, given }: Run,
  { log, isStored }: { readonly log: EventLog; readonly isStored: boolean },
): Promise<StoppedRun> {
  const view = await foldLog(log, id, { begin: () => emptyView(id), apply: applyEvent });
  const texts = view ? listTexts(view).filter((text) => text.trim() !== '') : [];
  const hasBegun = isStored || status !== 'cancelled' || (view?.parts.length ?? 0) > 0;
  return {
    texts,
    unheard: hasBegun || given?.isWithoutMessage ? [] : [{ messageId, message, ...(given && { given }) }],
    isFiltered: view?.error?.code === 'MODEL_FILTERED',
  };
}
