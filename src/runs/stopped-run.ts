import type { StoppedRun } from '../agents/agent.js';
import { applyEvent, emptyView } from '../events/run-view.js';
import type { EventLog } from './event-log.js';
import type { Run } from './run.js';
import type { RunStore } from './run.store.js';
import { foldLog } from './read-log.js';

/** Runs that are looked through for the one before: those that wait behind this one are newer. */
const LOOK_BACK = 20;

/** Reads the run before this one in its thread. Undefined if that was neither stopped nor failed. */
export async function readStoppedBefore(
  run: Run,
  { runs, log }: { readonly runs: RunStore; readonly log: EventLog },
): Promise<StoppedRun | undefined> {
  const { items } = await runs.listRuns(run.principal, run.threadId, { limit: LOOK_BACK });
  const before = items[items.findIndex(({ id }) => id === run.id) + 1];
  if (!before || before.id === run.id) return undefined;
  if (before.status !== 'cancelled' && before.status !== 'failed') return undefined;
  const view = await foldLog(log, before.id, { begin: () => emptyView(before.id), apply: applyEvent });
  const texts = (view?.parts ?? []).flatMap((part) =>
    part.kind === 'text' && part.text.trim() !== '' ? [part.text] : [],
  );
  return { texts, isFiltered: view?.error?.code === 'MODEL_FILTERED' };
}
