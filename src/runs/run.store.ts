import type { GivenInput } from '../agents/agent.js';
import type { RecordedDecision } from '../events/requested-input.js';
import type { Usage } from '../events/run-event.js';
import type { Owner, Principal } from '../principal.js';
import type { BranchNode } from './branches.js';
import type { FeedbackRequest, GivenFeedback } from './feedback.js';
import type { ListedRun, Run, Thread, ThreadChange, ThreadFacts } from './run.js';
import type { RunDeletion, RunDeletionResult } from './run-deletion.js';
import type { RunFilter } from './run-filter.js';
import type { MessagesChange, MessagesResult } from './run-messages.js';
import type { OutsideUsage, Spending, SpendingQuery } from './spending.js';
import type { ThreadCopy, ThreadCopyResult } from './thread-copy.js';
import type { ThreadMatch, ThreadSearch } from './thread-search.js';

/**
 * Port: the records of runs and threads, and who owns a run.
 *
 * Every method is one atomic step; two processes that call at the same moment see each other's whole step or none of it.
 * Methods reject with STORAGE_FAILED when the storage cannot be reached. Lease times are by the storage's own clock.
 */
export abstract class RunStore {
  /**
   * Stores a run, and its thread when that is new. Durable when it resolves. With an `owner`, and no unended run before it in its
   * thread, it is `running` from the start, as if that owner had claimed it in the same moment; else it is pending. It is pending
   * as well when the owner's limit leaves its principal no room, or an earlier run of the principal waits for an owner.
   *
   * Uploads that `given.files` names become blobs of the thread in the same step. Each file has to be an upload of the principal, or a blob of the thread.
   */
  abstract create(run: NewRun): Promise<CreateResult>;

  /** Returns the run, with the id of the one that continues it. */
  abstract get(runId: string): Promise<Run | undefined>;

  /** The run that this key of this owner has started, and the fingerprint that came with it. */
  abstract findByKey(owner: Owner, key: string): Promise<KeyedRun | undefined>;

  /**
   * Takes the next run that wants an owner: one that is running under a lease that has expired, else one that is pending with no
   * other unended run before it in its thread. Of the pending ones those of the tenant with the fewest runs at work go first, of
   * its users those of the one with the fewest, and then the oldest; none of a principal for whom the owner's limit leaves no
   * room. One that is taken over needs no room: it has its place, and its `deaths`
   * are one more, unless its owner has released it. The run comes back with status `running`, a higher epoch, and a lease until `leaseMs` from
   * now. No epoch is given twice, also not by a storage that was put back to an earlier state and has forgotten the claims since.
   */
  abstract claim(claim: ClaimRun): Promise<Run | undefined>;

  /** Prolongs the leases of runs that this process owns. Those that it has lost come back as `fenced`. */
  abstract renew(renewal: {
    readonly runs: readonly RunOwnership[];
    readonly leaseMs: number;
  }): Promise<readonly RenewResult[]>;

  /** Gives a run back: it may be claimed at once. No effect when the epoch is not current. */
  abstract release(ownership: RunOwnership): Promise<void>;

  /** Notes the wish to cancel; the owner sees it at its next hint or renewal. Returns the run as it then is. */
  abstract requestCancel(runId: string): Promise<Run | undefined>;

  /** Adds a message to a run, withdraws one, or marks all as taken by its owner. */
  abstract changeMessages(change: MessagesChange): Promise<MessagesResult>;

  /**
   * Notes what was decided on calls that the run stopped for: all of these answers or none. With the last one that was missing,
   * the run that continues this one is stored, pending, in the same atomic step. An answer that came before changes nothing,
   * and gets what the first one got.
   */
  abstract decide(answers: NewDecisions): Promise<DecideResult>;

  /**
   * At most `limit` runs with an approval that has expired by now, longest expired first. In the thread of one of them something
   * may have come later: to answer it is `closed` then, and it is not listed again.
   */
  abstract listExpired(limit: number): Promise<readonly Run[]>;

  /** The owner's thread of that id. What other owners call by the same id is not looked at, here and below. */
  abstract getThread(owner: Owner, threadId: string): Promise<Thread | undefined>;

  /** Stores a thread without runs, unless its owner has one of that id: then nothing changes. Returns the thread as it then is. */
  abstract createThread(
    thread: NewThread,
  ): Promise<{ readonly outcome: 'created' | 'existing'; readonly thread: Thread }>;

  /** The owner's threads, latest change first. A page may have fewer than its limit, and another after it. */
  abstract listThreads(owner: Owner, page: ThreadListRequest): Promise<Page<Thread>>;

  /**
   * The owner's threads with a run, or a title that was given, in which all terms are found, latest change first. A run is found once it has ended.
   * If too many are found, only the newest of them are looked at.
   */
  abstract searchThreads(owner: Owner, search: ThreadSearch): Promise<Page<ThreadMatch>>;

  /** Changes facts of the owner's thread, but not the time of its last change. Returns the changed thread; undefined if there is none. */
  abstract changeThread(owner: Owner, threadId: string, change: ThreadChange): Promise<Thread | undefined>;

  /**
   * The runs of a thread, newest first. A page ends before its records are more than some hundred KiB; it has at least one. So one
   * that has fewer than its limit is the last only without a `nextCursor`.
   */
  abstract listRuns(owner: Owner, threadId: string, page: PageRequest): Promise<Page<Run>>;

  /** The places of the newest runs of a thread, newest first; at most `limit`. */
  abstract listNodes(owner: Owner, threadId: string, limit: number): Promise<readonly BranchNode[]>;

  /**
   * Runs of all threads, in the order of their creation or of a figure. A page looks at a bounded number of runs, however few of them fit the
   * filter: it may have fewer than its limit, and another after it.
   */
  abstract findRuns(filter: RunFilter, page: PageRequest): Promise<Page<ListedRun>>;

  /** Stores the feedback on a run in the place of earlier one, or removes it. Returns the run as it then is; undefined if there is none. */
  abstract setFeedback(runId: string, feedback: GivenFeedback | undefined): Promise<Run | undefined>;

  /** The runs with feedback, in the order of its last change. */
  abstract listFeedback(page: FeedbackRequest): Promise<Page<ListedRun>>;

  /** Counts the runs that have not ended. */
  abstract countUnended(): Promise<UnendedRuns>;

  /**
   * Sums what ended runs have used, by these groups; the dearest first, then the most tokens. Each run counts once, in the step that stores
   * its end, in the month of that end (UTC). It still counts when its thread is deleted. What {@link chargeUsage} was given is in the sums too.
   */
  abstract listSpending(query: SpendingQuery): Promise<readonly Spending[]>;

  /** Adds usage that is no run's to the sums of this month (UTC), and no run. At most once: if it rejects, it may or may not have been added. */
  abstract chargeUsage(outside: OutsideUsage): Promise<void>;

  /** Sums what the ended runs of a thread have used. Undefined if there are none. */
  abstract sumUsage(owner: Owner, threadId: string): Promise<Usage | undefined>;

  /**
   * Removes a thread with its runs, their logs and idempotency keys, and the checkpoints under its key. What an owner of one of its runs
   * still sends, to the log or to the checkpoints, is refused. Resolves even if there is none. The caller has ended its runs.
   */
  abstract deleteThread(owner: Owner, threadId: string): Promise<void>;

  /**
   * Removes an ended run that no other continues from: its log, its idempotency key, the checkpoints that it has stored, and its files, except those that
   * another run of the thread was given. The runs that it continues after answers go too, until one that others continue from as well.
   */
  abstract deleteRun(deletion: RunDeletion): Promise<RunDeletionResult>;

  /**
   * Stores a copy of the owner's thread: its ended runs under new ids, with their places, logs and words, its states and its files. Files keep their ids.
   * Idempotency keys are not copied, and nothing is spent again.
   */
  abstract copyThread(copy: ThreadCopy): Promise<ThreadCopyResult>;
}

/** The owner of a run, and its lease. */
export interface RunOwner {
  readonly ownerId: string;
  readonly leaseMs: number;
  /** Runs that one principal may have at work, with all owners together. Further ones wait. Default: no limit. */
  readonly maxRunsPerPrincipal?: number;
}

/** The expired runs that a claim leaves alone. */
export interface ClaimRun extends RunOwner {
  /** The runs that this owner works on: it has not fallen silent, whatever the clock says. Default: none. */
  readonly inHand?: readonly string[];
  /** Runs whose deaths would be exactly so many. Default: none. */
  readonly exceptDeaths?: number | undefined;
}

/** The owner of a run, by its epoch. */
export interface RunOwnership {
  readonly runId: string;
  readonly epoch: number;
}

export interface NewRun {
  readonly id: string;
  readonly threadId: string;
  /**
   * Among the threads of the principal; those of others play no part. `existing`: it has to be there already. `any`: it is made when
   * there is none. `new`: its id was minted for this run, so that no one else can know it; there is nothing to look up, and no one
   * to wait for.
   */
  readonly thread: 'new' | 'existing' | 'any';
  readonly agent: string;
  readonly principal: Principal;
  readonly message: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly given?: GivenInput;
  readonly messageId: string;
  readonly traceparent?: string;
  readonly resumeOf?: string;
  /** The run before this one in its branch. Null: none, this run starts the thread over. Absent: the newest one. */
  readonly parentId?: string | null;
  /** One key of one principal starts one run. `fingerprint` tells whether the request was the same. */
  readonly idempotency?: { readonly key: string; readonly fingerprint: string };
  /**
   * Rule if the thread has an unended run: refuse, or wait for its end. `rollback` waits too, and is asked where the oldest of them was asked if
   * it has no `parentId`.
   */
  readonly whenBusy: 'reject' | 'queue' | 'rollback';
  /** Rule if the thread's last run waits for approvals: refuse, or close them. Closed approvals can no longer be answered. */
  readonly whenAwaiting: 'reject' | 'deny';
  /** Time before which no owner gets the run, in milliseconds from its creation, unless it is cancelled. It is pending until then. Default 0. */
  readonly delayMs?: number;
  /** Maximum runs of the principal whose time has not come, with this one. Counts only for a run with a delay. Default: any number. */
  readonly maxDelayed?: number;
  /** The owner who begins the run at once, if it is the first in its thread. Absent: it waits for a claim. */
  readonly owner?: RunOwner;
}

/** A thread before its first run. */
export interface NewThread extends ThreadFacts {
  readonly id: string;
  readonly owner: Owner;
  /** Minted for this thread: no other has it, and none will. */
  readonly key: string;
}

/** Decisions by input id, and the run to create with the last missing one. */
export interface NewDecisions {
  readonly runId: string;
  readonly answers: Readonly<Record<string, RecordedDecision>>;
  /** In the same thread, with `resumeOf` naming this run, and without an owner. */
  readonly continuation: NewRun;
}

export type DecideResult =
  | {
      readonly outcome: 'answered';
      readonly run: Run;
      /** Absent while answers are missing. */
      readonly continuedBy?: Run;
    }
  | { readonly outcome: 'unknown' | 'conflict'; readonly inputId: string }
  /** There is no such run, it does not wait, or something came later in its thread. */
  | { readonly outcome: 'closed' };

/** A run that was started with an idempotency key. */
export interface KeyedRun {
  readonly run: Run;
  readonly fingerprint: string;
}

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
  /** The principal has no such thread. */
  | { readonly outcome: 'no-thread' }
  /** As many runs of the principal begin later as may. */
  | { readonly outcome: 'too-many-delayed' }
  /** The principal has no such file, or it belongs to another thread. */
  | { readonly outcome: 'no-file'; readonly fileId: string };

export interface RenewResult {
  readonly runId: string;
  readonly outcome: 'renewed' | 'fenced';
  readonly cancelRequested: boolean;
  /** True if the run has messages that it has not taken. Absent: it has none. */
  readonly messageWaits?: true;
}

/** The runs of a storage that have not ended. */
export interface UnendedRuns {
  readonly pending: number;
  readonly running: number;
  /** The time since which the oldest pending run waits, in milliseconds since 1970: its creation, or the end of its delay. Absent: none is pending. */
  readonly oldestPendingAt?: number;
}

/** A page of threads. An absent filter excludes nothing. */
export interface ThreadListRequest extends PageRequest {
  readonly archived?: boolean;
  readonly pinned?: boolean;
  /** True for those whose last run waits for an answer from outside. */
  readonly waiting?: true;
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
