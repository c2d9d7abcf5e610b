import type { Ancestor } from '../agents/agent.js';
import { BranchWalk } from './branches.js';
import { hasEnded, type Run } from './run.js';
import type { RunStore } from './run.store.js';

/** Runs read at a time. */
const RUNS = 50;

/** An earlier run of a branch, with its record. */
export type AncestorRun = Ancestor & Run;

/** Reads the earlier runs of a run's branch, the nearest first. */
export async function* readAncestors(
  { id, principal, threadId }: Run,
  runs: RunStore,
): AsyncGenerator<AncestorRun> {
  const walk = new BranchWalk(id);
  for await (const run of readThread({ principal, threadId }, runs)) {
    if (walk.takes(run) && run.id !== id) yield { ...run, isBeforeOthers: walk.hasPassedOthers };
    if (walk.isOver) return;
  }
}

/** Reads the runs of a thread that were created before a run, in all of its branches, the newest first. */
export async function* readAllBefore(
  { id, principal, threadId }: Pick<Run, 'id' | 'principal' | 'threadId'>,
  runs: RunStore,
): AsyncGenerator<Run> {
  let isBefore = false;
  for await (const run of readThread({ principal, threadId }, runs)) {
    if (isBefore) yield run;
    isBefore ||= run.id === id;
  }
}

/** Reads the runs of a thread that have not ended and were created before a run, the newest first. */
export async function* readUnendedBefore(run: Run, runs: RunStore): AsyncGenerator<Run> {
  // A run that has started has waited for the earlier ones.
  if (run.status !== 'pending') return;
  for await (const before of readAllBefore(run, runs)) {
    if (hasEnded(before)) return;
    yield before;
  }
}

/** Reads the runs of a thread, the newest first. */
async function* readThread(
  { principal, threadId }: Pick<Run, 'principal' | 'threadId'>,
  runs: RunStore,
): AsyncGenerator<Run> {
  let cursor: string | undefined;
  do {
    const page = await runs.listRuns(principal, threadId, { limit: RUNS, ...(cursor && { cursor }) });
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor);
}
