import { readStatus } from '../events/earlier-records.ts';
import { newThreadKey } from './new-run.ts';
import type { CreateResult, NewRun } from './run.store.js';

// Storages ask these functions inside the step that stores a run, and store what they say. Pure, and without imports at run time that
// the worker thread of SQLite could not load.

/** The place in its thread at which a turn was asked. */
export interface TurnPlace {
  /** The run before it. Null: none. */
  readonly parentId?: string | null;
  /** The id of the state in the middle of that run from which it goes on. Absent: its last state. */
  readonly fromCheckpoint?: string;
}

/** The thread that a new run names, as it stands in the step that stores the run. */
export interface FoundThread {
  readonly key: string;
  /** The id of its oldest run that has not ended. */
  readonly unended?: string | undefined;
  /** The place at which the turn of that one was asked. Looked up for a start that takes it. */
  readonly turn?: TurnPlace | undefined;
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
  /** The state in the middle of that run from which it goes on, where it takes the place of a turn that did. Undefined: as it was asked. */
  readonly fromCheckpoint?: string | undefined;
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
  const turn = unended !== undefined && takesPlace(run) ? found.turn : undefined;
  const parentId = turn ? turn.parentId : run.parentId === undefined ? latest?.id : run.parentId;
  return {
    outcome: 'admitted',
    threadKey: key,
    isNewThread: false,
    mustWait: unended !== undefined,
    parentId,
    ...(turn?.fromCheckpoint !== undefined && { fromCheckpoint: turn.fromCheckpoint }),
    isFork: latest !== undefined && parentId !== latest.id,
    lapsed,
  };
}

/** True for a start whose place depends on the run that has not ended. */
export function takesPlace({ whenBusy, parentId }: Pick<NewRun, 'whenBusy' | 'parentId'>): boolean {
  return whenBusy === 'rollback' && parentId === undefined;
}

/** Returns the run as it is stored: from the state in the middle of a run that it goes on from, where it has taken over a place. */
export function withPlace<Asked extends Pick<NewRun, 'given'>>(
  run: Asked,
  { fromCheckpoint }: Pick<AdmittedRun, 'fromCheckpoint'>,
): Asked {
  return fromCheckpoint === undefined ? run : { ...run, given: { ...run.given, fromCheckpoint } };
}

/** True if a run begins later, and the number of such runs of its principal is limited: the storage has to count them. */
export function countsDelayed<Start extends Pick<NewRun, 'delayMs' | 'maxDelayed'>>(
  run: Start,
): run is Start & { readonly maxDelayed: number } {
  return (run.delayMs ?? 0) > 0 && run.maxDelayed !== undefined;
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
