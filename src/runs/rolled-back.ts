import { readAllBefore } from './ancestors.js';
import type { EventLog } from './event-log.js';
import type { Run } from './run.js';
import { deleteRun } from './run-deletion.js';
import type { RunStore } from './run.store.js';

/**
 * Deletes the runs whose place a run takes: those that were active when it was stored, and were cancelled for it. One that ended by itself meanwhile
 * stays, as another version of the turn.
 */
export async function deleteRolledBack(
  run: Run,
  deps: { readonly runs: RunStore; readonly log: EventLog },
): Promise<void> {
  if (!run.given?.rollsBack) return;
  for await (const before of readAllBefore(run, deps.runs)) {
    // The runs of a thread end in the order of their creation.
    if (before.id === run.parentId || (before.endedAt ?? 0) < run.createdAt) return;
    if (before.cancelRequested) await deleteRun(before, deps);
  }
}
