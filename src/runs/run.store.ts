import type { GivenAnswer } from '../events/approval.js';
import type { Owner, Principal } from '../principal.js';
import type { Run, Thread } from './run.js';

/**
 * Port: the records of runs and threads, and who owns a run.
 *
 * Every method is one atomic step; two processes that call at the same moment see each other's whole step or none of it.
 * Methods reject with STORAGE_FAILED when the storage cannot be reached. Lease times are by the storage's own clock.
 */
export abstract class RunStore {
  /**
   * Stores a run, and its thread when that is new. Durable when it resolves. With an `owner`, and no unended run before it in its
   * thread, it is `running` from the start, as if that owner had claimed it in the same moment; else it is pending.
   */
  abstract create(run: NewRun): Promise<CreateResult>;

  abstract get(runId: string): Promise<Run | undefined>;

  /**
   * Takes the oldest run that wants an owner: pending with no other unended run before it in its thread, or running under
   * a lease that has expired. The run comes back with status `running`, a higher epoch, and a lease until `leaseMs` from
   * now. No epoch is given twice, also not by a storage that was put back to an earlier state and has forgotten the claims since.
   */
  abstract claim(owner: RunOwner): Promise<Run | undefined>;

  /** Prolongs the leases of runs that this process owns. Those that it has lost come back as `fenced`. */
  abstract renew(renewal: {
    readonly runs: readonly RunOwnership[];
    readonly leaseMs: number;
  }): Promise<readonly RenewResult[]>;

  /** Gives a run back: it may be claimed at once. No effect when the epoch is not current. */
  abstract release(ownership: RunOwnership): Promise<void>;

  /** Notes the wish to cancel; the owner sees it at its next hint or renewal. Returns the run as it then is. */
  abstract requestCancel(runId: string): Promise<Run | undefined>;

  /**
   * Notes what was decided on calls that the run stopped for: all of these answers or none. With the last one that was missing,
   * the run that continues this one is stored, pending, in the same atomic step. An answer that came before changes nothing,
   * and gets what the first one got.
   */
  abstract answer(answers: NewAnswers): Promise<AnswerResult>;

  /**
   * At most `limit` runs with an approval that has expired by now, longest expired first. In the thread of one of them something
   * may have come later: to answer it is `closed` then, and it is not listed again.
   */
  abstract listExpired(limit: number): Promise<readonly Run[]>;

  abstract getThread(threadId: string): Promise<Thread | undefined>;

  /** The owner's threads, latest change first. */
  abstract listThreads(owner: Owner, page: PageRequest): Promise<Page<Thread>>;

  /** The runs of a thread, newest first. */
  abstract listRuns(threadId: string, page: PageRequest): Promise<Page<Run>>;

  /** Removes a thread with its runs and their logs. Resolves also when there is none. The caller has ended its runs. */
  abstract deleteThread(threadId: string): Promise<void>;
}

/** Who takes on a run, and how long it stays theirs without a word from them. */
export interface RunOwner {
  readonly ownerId: string;
  readonly leaseMs: number;
}

/** Which owner of a run speaks. */
export interface RunOwnership {
  readonly runId: string;
  readonly epoch: number;
}

export interface NewRun {
  readonly id: string;
  readonly threadId: string;
  /**
   * `existing`: it has to be there already, and belong to the principal. `any`: it is made when there is none. `new`: its id was
   * minted for this run, so that nobody else can know it; there is nothing to look up, and nobody to wait for.
   */
  readonly thread: 'new' | 'existing' | 'any';
  readonly agent: string;
  readonly principal: Principal;
  readonly message: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly messageId: string;
  readonly resumeOf?: string;
  /** One key of one principal starts one run. `fingerprint` tells whether the request was the same. */
  readonly idempotency?: { readonly key: string; readonly fingerprint: string };
  /** What happens when the thread has an unended run: refuse, or wait for its end. */
  readonly whenBusy: 'reject' | 'queue';
  /** What happens when the thread's last run waits for approvals: refuse, or let them go; nobody can answer them then. */
  readonly whenAwaiting: 'reject' | 'deny';
  /** Who begins the run at once, when nothing is before it in its thread. Absent: it waits for whoever claims it. */
  readonly owner?: RunOwner;
}

/** What people have decided, by approval id, and the run to make with the last missing answer. */
export interface NewAnswers {
  readonly runId: string;
  readonly answers: Readonly<Record<string, GivenAnswer>>;
  /** In the same thread, with `resumeOf` naming this run, and without an owner. */
  readonly continuation: NewRun;
}

export type AnswerResult =
  | {
      readonly outcome: 'answered';
      readonly run: Run;
      /** Absent while answers are missing. */
      readonly continuedBy?: Run;
    }
  | { readonly outcome: 'unknown' | 'conflict'; readonly approvalId: string }
  /** There is no such run, it does not wait, or something came later in its thread. */
  | { readonly outcome: 'closed' };

export type CreateResult =
  /** `running` when it has got the owner that was given. */
  | { readonly outcome: 'created'; readonly run: Run }
  /**
   * This is the run that was started before: by the same key and fingerprint, or by this very call, when it learned so late that it
   * had succeeded that the run has another owner.
   */
  | { readonly outcome: 'existing'; readonly run: Run }
  /** The key came before with another fingerprint. */
  | { readonly outcome: 'key-reused' }
  | { readonly outcome: 'busy' | 'awaiting'; readonly runId: string }
  /** The thread does not exist, or belongs to another principal. */
  | { readonly outcome: 'no-thread' };

export interface RenewResult {
  readonly runId: string;
  readonly outcome: 'renewed' | 'fenced';
  readonly cancelRequested: boolean;
}

/** `cursor` is what an earlier page gave as `nextCursor`; opaque to callers. A cursor that is none reads as the first page. */
export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}
