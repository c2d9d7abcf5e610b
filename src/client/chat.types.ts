import type { RequestedInput } from '../events/requested-input.js';
import type { PublicError, RunOutcome, Usage } from '../events/run-event.js';
import type { RunView } from '../events/run-view.js';

/** The API's description of a run. Times are milliseconds since the epoch, by the server's clock. */
export interface RunRecord {
  readonly id: string;
  readonly threadId: string;
  readonly agent: string;
  /** `pending` and `running` have not ended; every other status is an end. */
  readonly status: 'pending' | 'running' | RunOutcome;
  /** The person's message. */
  readonly message: string;
  /** The assistant message that the run writes. */
  readonly messageId: string;
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly error?: PublicError;
  readonly usage?: Usage;
  /** The run that waited for input, and that this one continues. */
  readonly resumeOf?: string;
  /** The inputs that the run stopped for, with their answers. */
  readonly inputs?: readonly RequestedInput[];
}

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
  /** The first message, shortened. */
  readonly title: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The run that has not ended yet, if there is one: follow it. */
  readonly activeRunId?: string;
}

export type ChatMessage = UserMessage | AssistantMessage;

export interface UserMessage {
  readonly id: string;
  readonly role: 'user';
  /** The run that this message started. */
  readonly runId: string;
  readonly createdAt: number;
  readonly text: string;
}

export interface AssistantMessage {
  readonly id: string;
  readonly role: 'assistant';
  readonly runId: string;
  readonly createdAt: number;
  readonly text: string;
  /** The run as far as it was when the page was read. Continue from here with `follow(runId, { after: view })`. */
  readonly view: RunView;
  /** It goes on where that run stopped for an approval; both are one message. */
  readonly resumeOf?: string;
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

export interface AgentList {
  readonly items: readonly { readonly name: string; readonly description: string }[];
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
  /** Time when the session ends. */
  readonly expiresAt?: number;
}

/** Asks for a page: `cursor` is an earlier page's `nextCursor`; without it, the first page. */
export interface PageQuery {
  readonly cursor?: string;
  readonly limit?: number;
  readonly signal?: AbortSignal;
}
