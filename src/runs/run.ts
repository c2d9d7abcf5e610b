import type { GivenInput } from '../agents/agent.js';
import type { RequestedInput } from '../events/requested-input.js';
import type { PublicError, RunOutcome, Usage } from '../events/run-event.js';
import type { Owner, Principal } from '../principal.js';

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
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly error?: PublicError;
  readonly usage?: Usage;
  /** The run that waited for input and that this one continues. */
  readonly resumeOf?: string;
  /** The inputs that the run stopped for, once it has ended `awaiting-input`. */
  readonly inputs?: readonly RequestedInput[];
}

/** `pending` waits for an owner; `running` has one, alive or dead; the rest are ends. */
export type RunStatus = 'pending' | 'running' | RunOutcome;

/** A conversation: the runs that share a memory. */
export interface Thread {
  /** One owner has one thread of an id; other owners may have theirs. */
  readonly id: string;
  readonly owner: Owner;
  /** The first message, shortened. */
  readonly title: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The run that has not ended yet, if there is one. */
  readonly activeRunId?: string;
}

/** True once nothing more can be appended to the run's log. */
export function hasEnded(run: Pick<Run, 'status'>): boolean {
  return run.status !== 'pending' && run.status !== 'running';
}

/** True when the thing belongs to this principal. For others it does not exist. */
export function belongsTo(owner: Owner, principal: Owner): boolean {
  return owner.tenant === principal.tenant && owner.userId === principal.userId;
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
