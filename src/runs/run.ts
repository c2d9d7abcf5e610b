import type { GivenInput } from '../agents/agent.js';
import type { RequestedInput } from '../events/requested-input.js';
import type { PublicError, RunOutcome, Usage } from '../events/run-event.js';
import type { Owner, Principal } from '../principal.js';
import type { Feedback } from './feedback.js';
import type { RunMessage } from './run-messages.js';

/** One answer by one agent in a thread. Its log says what happened; this record says who owns it and how it stands. */
export interface Run {
  readonly id: string;
  /** The thread's id, chosen by its owner. Another owner may have a thread of the same id. */
  readonly threadId: string;
  /**
   * The thread among those of all owners. Never used again, not even for a thread of the same owner and id: what agents remember is
   * filed under it. Not for clients.
   */
  readonly threadKey: string;
  readonly agent: string;
  /** The person who asked. Tools run with these roles, even when another process takes over. */
  readonly principal: Principal;
  readonly message: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Values that the start gave its agent beside the message. */
  readonly given?: GivenInput;
  /** The assistant message that the run writes. */
  readonly messageId: string;
  readonly status: RunStatus;
  /** The fencing number of the current owner; 0 until there is one, and higher with each. Unlike a count, it may skip. */
  readonly epoch: number;
  /** The last event of the log; 0 while it is empty. */
  readonly lastSeq: number;
  /** The first event that is still kept; above 1 once retention has removed or compacted earlier ones. */
  readonly firstSeq: number;
  readonly cancelRequested: boolean;
  /** Number of owners that died, or fell silent, while they had the run. Absent: none. Not for clients. */
  readonly deaths?: number;
  /** Milliseconds since the epoch, as all times here. */
  readonly createdAt: number;
  /** Time before which the run was to have no owner. Absent: it could begin at once. Not for clients. */
  readonly notBefore?: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly error?: PublicError;
  readonly usage?: Usage;
  /** The run's place in a trace, as W3C Trace Context writes it. Absent if traces were off when the run was created. Not for clients. */
  readonly traceparent?: string;
  /** The run that waited for input and that this one continues. */
  readonly resumeOf?: string;
  /** The run that continues this one with the answers to its inputs. Set only by {@link RunStore.get} and lists. */
  readonly continuedBy?: string;
  /**
   * The run before this one in its branch: this run's agent knows what was said up to it. Null: none, this run starts the thread over. Absent:
   * the run before it in time, if there is one.
   */
  readonly parentId?: string | null;
  /** The run of another thread of which this one is a copy; of a copy of a copy, the first. It may be gone. */
  readonly copyOf?: string;
  /** The inputs that the run stopped for, once it has ended `awaiting-input`. */
  readonly inputs?: readonly RequestedInput[];
  /** Messages to the run while it was under way, the oldest first. Absent: none. */
  readonly messages?: readonly RunMessage[];
  /** Judgement of the person who asked. Absent: none. */
  readonly feedback?: Feedback;
}

/** A run in a list: without what was said and given, and with the title of its thread. */
export interface ListedRun extends Omit<
  Run,
  'message' | 'metadata' | 'given' | 'traceparent' | 'notBefore' | 'inputs' | 'messages'
> {
  readonly title: string;
}

/** `pending` waits for an owner; `running` has one, alive or dead; the rest are ends. */
export type RunStatus = 'pending' | 'running' | RunOutcome;

/** A conversation: the runs that share a memory. */
export interface Thread {
  /** One owner has one thread of an id; other owners may have theirs. */
  readonly id: string;
  readonly owner: Owner;
  /** The first message, shortened, until its owner renames the thread. Empty before there is either. */
  readonly title: string;
  /** Its owner's notes. Absent: none. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The run that has not ended yet, if there is one. */
  readonly activeRunId?: string;
  /** True if a run did not follow the newest one. Absent: the thread is one line. */
  readonly hasBranches?: boolean;
  /** True if its owner has pinned it. */
  readonly pinned?: true;
  /** True if its owner has archived it. The next message brings it back. */
  readonly archived?: true;
  /** True if a run has ended in it since its owner last wrote or read. */
  readonly unread?: true;
  /** True if its last run waits for an answer from outside. */
  readonly waiting?: true;
  /** Time after its last change at which it is deleted, in milliseconds. Absent: the operator's rules alone decide. */
  readonly ttlMs?: number;
  /** The moment that follows from it, as long as nothing happens in the thread. */
  readonly expiresAt?: number;
}

/** Facts of a thread that its owner gives it before its first run. */
export interface ThreadFacts {
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Its lifetime in milliseconds. Absent: none. */
  readonly ttlMs?: number;
}

/** The facts of a thread that its owner can change. */
export interface ThreadChange {
  readonly title?: string;
  /** Changes the title only if it is this one. Default: whatever it is. */
  readonly titleBefore?: string;
  readonly pinned?: boolean;
  readonly archived?: boolean;
  /** Takes the place of values of the same names; the others stay. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Gives it a lifetime from now on, in milliseconds. Null takes it away. */
  readonly ttlMs?: number | null;
  /** Marks all of its current content as read. */
  readonly read?: true;
}

/** Returns the title that a change gives to a thread; undefined if it leaves the one that it has. Pure. */
export function findNewTitle(
  { title, titleBefore }: Pick<ThreadChange, 'title' | 'titleBefore'>,
  current: string,
): string | undefined {
  return titleBefore === undefined || titleBefore === current ? title : undefined;
}

/** Returns how long a run has waited for its first owner, in milliseconds, without the delay that it was asked with. */
export function getWait({
  createdAt,
  notBefore = createdAt,
  startedAt = createdAt,
}: Pick<Run, 'createdAt' | 'notBefore' | 'startedAt'>): number {
  // The clock of the process that stored it may be ahead of that of its owner.
  return Math.max(0, startedAt - Math.max(createdAt, notBefore));
}

/** True once nothing more can be appended to the run's log. */
export function hasEnded(run: Pick<Run, 'status'>): boolean {
  return run.status !== 'pending' && run.status !== 'running';
}

/** True when the thing belongs to this principal. For others it does not exist. */
export function belongsTo(owner: Owner, principal: Owner): boolean {
  return owner.tenant === principal.tenant && owner.userId === principal.userId;
}

/** The title that a run gives to a thread which has none. Of a message without text: the names of its files. */
export function createTitle({ message, given }: Pick<Run, 'message' | 'given'>): string {
  if (message !== '') return toTitle(message);
  return toTitle((given?.files ?? []).map(({ name, mediaType }) => name ?? mediaType).join(', '));
}

/**
 * Returns the title of a thread after the deletion of runs: if one of these gave it its title, that of the oldest run that is left, or none. Pure.
 *
 * @param left the oldest run that is left
 */
export function titleAfter(
  title: string,
  deleted: readonly Pick<Run, 'message' | 'given'>[],
  left: Pick<Run, 'message' | 'given'> | undefined,
): string {
  if (!deleted.some((run) => createTitle(run) === title)) return title;
  return left ? createTitle(left) : '';
}

const TITLE_LENGTH = 80;

/** A thread's title: the first line of its first message, at most 80 characters as people count them. */
export function toTitle(message: string): string {
  // A character that people see is at most a few units long; what is far beyond the title need not be looked at.
  const line = (message.trim().split(/\r\n|\r|\n/, 1)[0] ?? '').slice(0, TITLE_LENGTH * 20);
  if (line.length <= TITLE_LENGTH) return line;
  const characters = Array.from(new Intl.Segmenter().segment(line), ({ segment }) => segment);
  if (characters.length <= TITLE_LENGTH) return line;
  return `${characters
    .slice(0, TITLE_LENGTH - 1)
    .join('')
    .trimEnd()}…`;
}
