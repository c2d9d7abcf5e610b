import type { Approval } from '../events/approval.js';
import type { PublicError, RunOutcome, Usage } from '../events/run-event.js';
import type { Owner, Principal } from '../principal.js';

/** One answer by one agent in a thread. Its log says what happened; this record says who owns it and how it stands. */
export interface Run {
  readonly id: string;
  readonly threadId: string;
  readonly agent: string;
  /** Who asked. Tools run with these roles, also when another process takes over. */
  readonly principal: Principal;
  readonly message: string;
  readonly metadata: Readonly<Record<string, unknown>>;
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
  /** Milliseconds since the epoch, as all times here. */
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly error?: PublicError;
  readonly usage?: Usage;
  /** The run that stopped for an approval and that this one continues. */
  readonly resumeOf?: string;
  /** The calls that the run stopped for, once it has ended `awaiting-approval`. */
  readonly approvals?: readonly Approval[];
}

/** `pending` waits for an owner; `running` has one, alive or dead; the rest are ends. */
export type RunStatus = 'pending' | 'running' | RunOutcome;

/** A conversation: the runs that share a memory. */
export interface Thread {
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
export function titleOf(message: string): string {
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
