import type { Owner } from '../principal.js';
import { foldLog } from './read-log.js';
import type { EventLog } from './event-log.js';
import { belongsTo, type Run } from './run.js';
import type { RunStore } from './run.store.js';

/** A run to remove from its thread. */
export interface RunDeletion {
  readonly owner: Owner;
  readonly runId: string;
  /**
   * Ids of the files that the run, and each run that it continues after answers, was given and has made, by the id of that run. Those of runs that stay
   * are left alone.
   */
  readonly files: Readonly<Record<string, readonly string[]>>;
}

export type RunDeletionResult =
  | { readonly outcome: 'deleted' }
  /** The owner has no such run. */
  | { readonly outcome: 'no-run' }
  | { readonly outcome: 'unended' }
  /** Another run continues from it, and its agent knows what was said in it. */
  | { readonly outcome: 'followed'; readonly runId: string };

interface Deps {
  readonly runs: RunStore;
  readonly log: EventLog;
}

/** Removes an ended run with its files, and those that it continues after answers with theirs. */
export async function deleteRun(run: Run, deps: Deps): Promise<RunDeletionResult> {
  const { tenant, userId } = run.principal;
  const files: Record<string, readonly string[]> = {};
  for await (const part of readTurn(run, deps.runs)) files[part.id] = await listFiles(part, deps.log);
  return deps.runs.deleteRun({ owner: { tenant, userId }, runId: run.id, files });
}

/** Yields the run, and then those that it continues after answers. */
async function* readTurn(run: Run, runs: RunStore): AsyncGenerator<Run> {
  let next: Run | undefined = run;
  while (next) {
    yield next;
    const before: Run | undefined = next.resumeOf === undefined ? undefined : await runs.get(next.resumeOf);
    next = before && belongsTo(before.principal, run.principal) ? before : undefined;
  }
}

async function listFiles({ id, given }: Run, log: EventLog): Promise<readonly string[]> {
  const files = new Set((given?.files ?? []).flatMap(({ fileId }) => fileId ?? []));
  await foldLog(log, id, {
    begin: () => files,
    apply: (found, { event }) => (event.type === 'file' && event.fileId ? found.add(event.fileId) : found),
  });
  return [...files];
}
