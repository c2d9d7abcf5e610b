import type { Owner } from '../principal.js';
import { foldLog } from './read-log.js';
import type { EventLog } from './event-log.js';
import type { Run } from './run.js';
import type { RunStore } from './run.store.js';

/** A run to remove from its thread. */
export interface RunDeletion {
  readonly owner: Owner;
  readonly runId: string;
  /** Ids of the files that the run was given and has made. */
  readonly files: readonly string[];
}

export type RunDeletionResult =
  | { readonly outcome: 'deleted' }
  /** The owner has no such run. */
  | { readonly outcome: 'no-run' }
  | { readonly outcome: 'unended' }
  /** Another run continues from it, and its agent knows what was said in it. */
  | { readonly outcome: 'followed'; readonly runId: string };

/** Removes an ended run with its files. */
export async function deleteRun(
  run: Run,
  { runs, log }: { readonly runs: RunStore; readonly log: EventLog },
): Promise<RunDeletionResult> {
  const files = await listFiles(run, log);
  const { tenant, userId } = run.principal;
  return runs.deleteRun({ owner: { tenant, userId }, runId: run.id, files });
}

async function listFiles({ id, given }: Run, log: EventLog): Promise<readonly string[]> {
  const files = new Set((given?.files ?? []).flatMap(({ fileId }) => fileId ?? []));
  await foldLog(log, id, {
    begin: () => files,
    apply: (found, { event }) => (event.type === 'file' && event.fileId ? found.add(event.fileId) : found),
  });
  return [...files];
}
