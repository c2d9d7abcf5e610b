import type { PlacedFile } from '../events/message-part.js';
import type { RequestedInput } from '../events/requested-input.js';
import type { PublicError, RunOutcome, Usage } from '../events/run-event.js';
import type { RunView } from '../events/run-view.js';
import type { RunHead } from './run-log.js';

/** The API's description of a run. Times are milliseconds since the epoch, by the server's clock. */
export interface RunRecord {
  readonly id: string;
  readonly threadId: string;
  readonly agent: string;
  /** `pending` and `running` have not ended; every other status is an end. */
  readonly status: 'pending' | 'running' | RunOutcome;
  /** The person's message. */
  readonly message: string;
  /** The files of the message. Absent: none. */
  readonly files?: readonly PlacedFile[];
  /** The assistant message that the run writes. */
  readonly messageId: string;
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly error?: PublicError;
  readonly usage?: Usage;
  /** Judgement of the person who asked. Absent: none. */
  readonly feedback?: Feedback;
  /** The run that waited for input, and that this one continues. */
  readonly resumeOf?: string;
  /** The run that continues this one with the answers to its inputs. */
  readonly continuedBy?: string;
  /** The run before this one in its branch. Null if this one starts the thread over. Absent: the run before it in time. */
  readonly parentRunId?: string | null;
  /** Messages that the run has not taken, or has ended without. Absent: none. */
  readonly messages?: readonly RunMessage[];
  /** The inputs that the run stopped for, with their answers. */
  readonly inputs?: readonly RequestedInput[];
}

/** Judgement on an answer. */
export interface GivenFeedback {
  readonly rating: 'up' | 'down';
  /** Words for those who run the service, at most 2,000 characters. */
  readonly comment?: string;
}

/** Judgement on an answer, as the server has it. `at` is the time of its last change. */
export type Feedback = GivenFeedback & { readonly at: number };

/** State of a run after an answer to one of its approvals. */
export interface DecisionResult {
  readonly run: RunRecord;
  /** The run that goes on with the answers: follow it. Absent while answers are missing. */
  readonly continuedBy?: StartedRun;
}

/** A run that was accepted. It goes on whether anybody follows it or not. */
export interface StartedRun {
  readonly runId: string;
  readonly threadId: string;
  readonly eventsUrl: string;
}

export interface ThreadSummary {
  readonly id: string;
  /** The first message, shortened, until its owner renames the thread. Empty before there is either. */
  readonly title: string;
  /** Its owner's notes. Absent: none. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The run that has not ended yet, if there is one: follow it. */
  readonly activeRunId?: string;
  /** True if its owner has pinned it. */
  readonly pinned?: true;
  /** True if its owner has archived it. The next message brings it back. */
  readonly archived?: true;
  /** True if a run has ended in it since its owner last wrote or read. */
  readonly unread?: true;
  /** True if its last run waits for an answer from outside. */
  readonly waiting?: true;
  /** Time after its last change at which it is deleted, in milliseconds. Absent: it has no lifetime of its own. */
  readonly ttlMs?: number;
  /** The moment that follows from it, as long as nothing happens in the thread. */
  readonly expiresAt?: number;
  /** The place that a search has found. Absent without `search`. */
  readonly match?: ThreadMatch;
}

/** The newest place in a thread in which all words of a search are found. */
export interface ThreadMatch {
  readonly in: 'title' | 'question' | 'answer';
  /** Absent for a title. */
  readonly runId?: string;
  /** The words around, as plain text. */
  readonly text: string;
  /** Places of the found words in `text`, as for `text.slice`: in order, and apart from each other. */
  readonly marks: readonly { readonly start: number; readonly end: number }[];
}

/** A change of a thread. Absent fields stay as they are. */
export interface ThreadChange {
  readonly title?: string;
  readonly pinned?: boolean;
  readonly archived?: boolean;
  /** Takes the place of values of the same names; the others stay. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Gives it a lifetime from now on, in milliseconds: from a minute to ten years. Null takes it away. */
  readonly ttlMs?: number | null;
  /** Marks all of its current content as read. */
  readonly read?: true;
}

/** An input that one of the caller's threads waits for. Answer it by `ChatService.answer`. */
export type InboxItem = RequestedInput & {
  readonly runId: string;
  readonly thread: Pick<ThreadSummary, 'id' | 'title'>;
};

export interface Inbox {
  readonly items: readonly InboxItem[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

export type ChatMessage = UserMessage | AssistantMessage;

export interface UserMessage {
  readonly id: string;
  readonly role: 'user';
  /** The run that this message started. */
  readonly runId: string;
  readonly createdAt: number;
  readonly text: string;
  /** The files of the message. Absent: none. */
  readonly files?: readonly PlacedFile[];
  /** The runs that took this turn, with the message's own, the oldest first. Absent if there is only one. See `findVersion`. */
  readonly versions?: readonly string[];
}

export interface AssistantMessage {
  readonly id: string;
  readonly role: 'assistant';
  readonly runId: string;
  readonly createdAt: number;
  readonly text: string;
  /** As of {@link UserMessage.versions}. */
  readonly versions?: readonly string[];
  /** The run as far as it was when the page was read. Continue from here with `follow(runId, { after: view })`. */
  readonly view: RunView;
  /** It goes on where that run stopped for an approval; both are one message. */
  readonly resumeOf?: string;
  /** Absent: none. */
  readonly feedback?: Feedback;
}

/** One page of a thread. The first page is the newest; within a page the oldest message comes first. */
export interface ThreadPage {
  readonly thread: ThreadSummary;
  readonly messages: readonly ChatMessage[];
  /**
   * The inputs that the thread waits for, each with the run that asked. Absent where it waits for nothing, and on all pages but the
   * first.
   */
  readonly inputs?: readonly (RequestedInput & { readonly runId: string })[];
  /** Asks for the messages before these. Absent on the page with the thread's first message. */
  readonly nextCursor?: string;
}

export interface ThreadList {
  readonly items: readonly ThreadSummary[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** A message to a run that is under way. */
export interface RunMessage {
  /** Chosen by its client, or else by the server. */
  readonly id: string;
  /** Its id in the conversation. */
  readonly messageId: string;
  readonly message: string;
  /** Time when it was accepted, in milliseconds since the epoch. */
  readonly at: number;
}

/** A file that was sent, for a message that names it. */
export interface UploadedFile {
  readonly fileId: string;
  /** As its bytes tell it. */
  readonly mediaType: string;
  readonly name?: string;
  readonly bytes: number;
}

/** A URL that opens one file without credentials. */
export interface FileTicket {
  readonly ticket: string;
  /** With the ticket in it. */
  readonly url: string;
  /** Time when it expires, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface AgentList {
  readonly items: readonly {
    readonly name: string;
    readonly description: string;
    /** Media types of files that a message to it may have, and ranges of them. Absent: none. */
    readonly accepts?: readonly string[];
    /** True if its runs take messages while they are under way. */
    readonly isSteerable?: true;
    /** Questions to begin a conversation with. Absent: none. */
    readonly suggestions?: readonly string[];
  }[];
  /** The agent that answers when a start names none. Absent when there is none to ask. */
  readonly default?: string;
}

/** The principal of this client, as the server sees it. */
export interface Session {
  /** `local` needs no sign-in; `credentials` wants a sign-in when there is no principal; `host`: the embedding application decides. */
  readonly kind: 'local' | 'credentials' | 'host';
  readonly principal: {
    readonly userId: string;
    readonly tenant: string;
    readonly roles: readonly string[];
  } | null;
  /** Name of the person, if the credentials tell it. */
  readonly name?: string;
  /** Ways to sign in: `token` by `signIn`, `oidc` by the page at `signInUrl`. Empty if there is nothing to sign in to. */
  readonly signIn: readonly ('token' | 'oidc')[];
  /** Time when the session ends. */
  readonly expiresAt?: number;
  /** The look of the page of an organization. Absent parts are the page's own. */
  readonly brand?: Brand;
}

export interface Brand {
  readonly name?: string;
  /** A `data:` URL. */
  readonly logo?: string;
  /** As `#rrggbb`. */
  readonly accent?: { readonly light: string; readonly dark: string };
  readonly greeting?: string;
}

export interface SignedOut {
  /** URL at which the provider ends its own session. */
  readonly signOutUrl: string;
}

/** A run in a list. `tenant` and `userId` are there for operators. */
export interface ListedRun extends RunHead {
  /** The title of its thread. Absent in the lists of operators. */
  readonly title?: string;
  readonly tenant?: string;
  readonly userId?: string;
}

export interface RunList {
  readonly items: readonly ListedRun[];
  /** Absent on the last page. A page may have fewer runs than its limit, and another after it. */
  readonly nextCursor?: string;
}

/** Asks for a page: `cursor` is an earlier page's `nextCursor`; without it, the first page. */
export interface PageQuery {
  readonly cursor?: string;
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** Asks for a page of a thread's messages. */
export interface ThreadQuery extends PageQuery {
  /** A run of the branch to read, which is read as far as it goes on. Default: the newest run of the thread. */
  readonly runId?: string;
}

/** Asks for a page of threads. */
export interface ThreadListQuery extends PageQuery {
  /** True for archived threads instead of the others. Default false. */
  readonly archived?: boolean;
  readonly pinned?: boolean;
  /** True for only those whose last run waits for an answer from outside. */
  readonly waiting?: true;
  /**
   * Words that are all found in a question or its answer, or in a title that was given. At most 200 characters. The last word may be the beginning of
   * one. Default: no search.
   */
  readonly search?: string;
}

/** Asks for a page of runs. Times are milliseconds since the epoch. */
export interface RunListQuery extends PageQuery {
  /** Runs that operators may see, in place of the caller's own. Default false. */
  readonly everybody?: boolean;
  readonly status?: RunRecord['status'];
  readonly agent?: string;
  readonly since?: number;
  readonly before?: number;
  /**
   * Order of the runs, default `newest`. `dearest` lists only runs whose cost is known. `longest` lists only runs that have ended, by the time
   * from creation to end.
   */
  readonly first?: 'newest' | 'oldest' | 'dearest' | 'longest';
}
