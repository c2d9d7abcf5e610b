import { readStatus } from '../events/earlier-records.ts';
import { newThreadKey } from './new-run.ts';
import type { CreateResult, NewRun } from './run.store.js';

// Storages ask these functions inside the step that stores a run, and store what they say. Pure, and without imports at run time that
// the worker thread of SQLite could not load.

/** The thread that a new run names, as it stands in the step that stores the run. */
export interface FoundThread {
  readonly key: string;
  /** The id of its oldest run that has not ended. */
  readonly unended?: string | undefined;
  /** The run after which the turn of that one was asked; null: none. Looked up for a start that takes its place. */
  readonly turnParentId?: string | null | undefined;
  /** Its newest run. */
  readonly latest?: { readonly id: string; readonly status: string } | undefined;
}

/** A run that may be stored. */
export interface AdmittedRun {
  readonly outcome: 'admitted';
  readonly threadKey: string;
  /** True if the run makes its thread. */
  readonly isNewThread: boolean;
  /** True if an earlier run of the thread has not ended. */
  readonly mustWait: boolean;
  /** The run before it in its branch. Null: none, because the start says so. Undefined: the thread has no run yet. */
  readonly parentId?: string | null | undefined;
  /** True if it does not follow the newest run. */
  readonly isFork: boolean;
  /** The id of the run whose approvals can no longer be decided once this run is stored. */
  readonly lapsed?: string | undefined;
}

export type Admission =
  AdmittedRun | Extract<CreateResult, { readonly outcome: 'no-thread' | 'busy' | 'awaiting' }>;

/** Decides whether a run may start in its thread, and where it then stands. `found` is undefined where the thread does not exist. */
export function admitRun(
  run: Pick<NewRun, 'id' | 'thread' | 'threadId' | 'whenBusy' | 'whenAwaiting' | 'parentId'>,
  found: FoundThread | undefined,
): Admission {
  if (!found) {
    if (run.thread === 'existing') return { outcome: 'no-thread' };
    return {
      outcome: 'admitted',
      threadKey: newThreadKey(run),
      isNewThread: true,
      mustWait: false,
      isFork: false,
    };
  }
  const { key, unended, latest } = found;
  if (unended !== undefined && run.whenBusy === 'reject') return { outcome: 'busy', runId: unended };
  const lapsed = latest && readStatus(latest.status) === 'awaiting-input' ? latest.id : undefined;
  if (lapsed !== undefined && run.whenAwaiting === 'reject') return { outcome: 'awaiting', runId: lapsed };
  const parentId = findParentId(run, found);
  return {
    outcome: 'admitted',
    threadKey: key,
    isNewThread: false,
    mustWait: unended !== undefined,
    parentId,
    isFork: latest !== undefined && parentId !== latest.id,
    lapsed,
  };
}

/** True for a start whose place depends on the run that has not ended. */
export function takesPlace({ whenBusy, parentId }: Pick<NewRun, 'whenBusy' | 'parentId'>): boolean {
  return whenBusy === 'rollback' && parentId === undefined;
}

function findParentId(
  run: Pick<NewRun, 'whenBusy' | 'parentId'>,
  { unended, turnParentId, latest }: FoundThread,
): string | null | undefined {
  if (unended !== undefined && takesPlace(run)) return turnParentId;
  return run.parentId === undefined ? latest?.id : run.parentId;
}

/** Decides what an idempotency key means that came before: the same request again, or another one. */
export function compareStarts(
  earlier: { readonly fingerprint?: string | null | undefined },
  fingerprint: string | null | undefined,
): 'existing' | 'key-reused' {
  return earlier.fingerprint === fingerprint ? 'existing' : 'key-reused';
}

/**
 * Decides what became of a run that an earlier attempt of this very call has stored: it waits for an owner, it has the one that this
 * call gave it, or another by now. The caller must not take the last for its own.
 */
export function recognizeAttempt(
  stored: { readonly epoch: number },
  ownEpoch: number | undefined,
): 'waiting' | 'owned' | 'taken' {
  if (stored.epoch === 0) return 'waiting';
  return stored.epoch === ownEpoch ? 'owned' : 'taken';
}
