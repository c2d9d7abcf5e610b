import type { GivenInput } from '../agents/agent.js';
import type { Placed } from '../events/message-order.js';
import type { Principal } from '../principal.js';

/** A file of a message: one that is uploaded or belongs to the thread, one with its bytes, or one at an address elsewhere. */
export type MessageFile = Placed &
  (
    | { readonly fileId: string }
    | ({ readonly data: Uint8Array } & FileName)
    | ({ readonly url: string } & FileName)
  );

interface FileName {
  /** Declared media type. Counts only for text, whose bytes do not tell it, and for an address. */
  readonly mediaType?: string | undefined;
  readonly name?: string | undefined;
}

/** A person's request for a run, with what it gives to the agent. */
export interface StartRunRequest extends Omit<GivenInput, 'files' | 'rollsBack'> {
  readonly principal: Principal;
  /** May be empty with {@link StartRunRequest.files}; and with {@link StartRunRequest.replaces}, to repeat the message of that run. */
  readonly message: string;
  /** The files of the message. With {@link StartRunRequest.replaces}, absent: those of that run. */
  readonly files?: readonly MessageFile[];
  /** Bytes of the message that repeat the conversation, where the client has its only record. The limit of a message does not count them. */
  readonly historyBytes?: number;
  /** Absent: a new thread. */
  readonly threadId?: string;
  /**
   * True to create the thread with this id if the principal does not have it, for protocols whose clients create ids. Ids belong to their owner,
   * so an id is free even if other owners use it. Default: such a start is NOT_FOUND.
   */
  readonly createThread?: boolean;
  /** Absent: the default agent. */
  readonly agent?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /**
   * Rule for a thread with an active run. `reject` refuses the start with THREAD_BUSY. `queue` lets it wait. `interrupt` cancels the active run, and
   * continues from its last state. `rollback` cancels it, takes its place in the thread, and deletes it. Default: the module's `whenBusy`.
   */
  readonly whenBusy?: 'reject' | 'queue' | 'interrupt' | 'rollback';
  /** The run of the same thread to continue from. Null: start the thread over. Default: the thread's newest run. */
  readonly parentRunId?: string | null;
  /**
   * The run whose place the new one takes: with another message, or without a message to repeat it. Both remain, as versions of one turn.
   */
  readonly replaces?: string;
  /** Time before which the run does not begin, in milliseconds, at most a week. It is pending until then, and its thread busy. Default 0. */
  readonly delayMs?: number;
  /** The run that is under way and takes the message. Only in requests that `beforeRun` sees. */
  readonly steers?: string;
  /** Makes a repeated request find the run that the first one started. */
  readonly idempotencyKey?: string;
}
