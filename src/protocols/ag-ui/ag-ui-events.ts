import type { PatchOperation } from '../../events/json-patch.js';
import type { FinishReason, Usage } from '../../events/run-event.js';
import type { RunState } from '../../events/run-state.js';

/**
 * The subset of AG-UI that we send (https://docs.ag-ui.com, protocol 1.0). The spec checks it against `@ag-ui/core`. Optional fields
 * are left out, never null: the client refuses a run for one.
 */
export type AgUiEvent =
  // the run
  | { readonly type: 'RUN_STARTED'; readonly threadId: string; readonly runId: string }
  | {
      readonly type: 'RUN_FINISHED';
      readonly threadId: string;
      readonly runId: string;
      readonly outcome?: AgUiOutcome;
      readonly result?: { readonly finishReason: FinishReason };
      readonly usage?: readonly AgUiUsage[];
    }
  | {
      readonly type: 'RUN_ERROR';
      readonly message: string;
      readonly code: string;
      readonly usage?: readonly AgUiUsage[];
    }
  | ({ readonly type: 'STEP_STARTED' | 'STEP_FINISHED'; readonly stepName: string } & OfSubagent)
  // the agents inside it
  | {
      readonly type: 'SUBAGENT_STARTED';
      readonly subagentRunId: string;
      readonly name: string;
      readonly parentSubagentRunId?: string;
      readonly parentToolCallId?: string;
    }
  | {
      readonly type: 'SUBAGENT_FINISHED';
      readonly subagentRunId: string;
      readonly outcome?: { readonly type: 'suspended'; readonly interruptIds: readonly string[] };
    }
  | {
      readonly type: 'SUBAGENT_ERROR';
      readonly subagentRunId: string;
      readonly code: string;
      readonly message: string;
    }
  // words
  | ({
      readonly type: 'TEXT_MESSAGE_START';
      readonly messageId: string;
      readonly role: 'assistant';
    } & OfSubagent)
  | { readonly type: 'TEXT_MESSAGE_CONTENT'; readonly messageId: string; readonly delta: string }
  | { readonly type: 'TEXT_MESSAGE_END'; readonly messageId: string }
  | ({ readonly type: 'REASONING_START' | 'REASONING_END'; readonly messageId: string } & OfSubagent)
  | ({
      readonly type: 'REASONING_MESSAGE_START';
      readonly messageId: string;
      readonly role: 'reasoning';
    } & OfSubagent)
  | { readonly type: 'REASONING_MESSAGE_CONTENT'; readonly messageId: string; readonly delta: string }
  | { readonly type: 'REASONING_MESSAGE_END'; readonly messageId: string }
  // tools
  | ({
      readonly type: 'TOOL_CALL_START';
      readonly toolCallId: string;
      readonly toolCallName: string;
      readonly parentMessageId: string;
    } & OfSubagent)
  | { readonly type: 'TOOL_CALL_ARGS'; readonly toolCallId: string; readonly delta: string }
  | { readonly type: 'TOOL_CALL_END'; readonly toolCallId: string }
  | {
      readonly type: 'TOOL_CALL_RESULT';
      readonly messageId: string;
      readonly toolCallId: string;
      readonly content: string;
      readonly role: 'tool';
    }
  // files and sources
  | ({
      readonly type: 'ACTIVITY_SNAPSHOT';
      readonly messageId: string;
      readonly activityType: 'file' | 'source';
      readonly content: Readonly<Record<string, unknown>>;
      readonly replace: true;
    } & OfSubagent)
  // the rest
  | { readonly type: 'STATE_SNAPSHOT'; readonly snapshot: RunState }
  | { readonly type: 'STATE_DELTA'; readonly delta: readonly PatchOperation[] }
  | { readonly type: 'MESSAGES_SNAPSHOT'; readonly messages: readonly AgUiMessage[] }
  | { readonly type: 'CUSTOM'; readonly name: string; readonly value: unknown };

/** Whose it is, where it is not the run's own agent's. What goes on with it does not repeat it. */
export interface OfSubagent {
  readonly subagentRunId?: string;
}

export type AgUiOutcome =
  | { readonly type: 'cancelled' }
  | { readonly type: 'interrupt'; readonly interrupts: readonly AgUiInterrupt[] };

/** An input that a run waits for. Answered by a `resume` entry of the next run that names its id. */
export interface AgUiInterrupt {
  readonly id: string;
  readonly reason: 'tool_call' | 'client_tool' | 'interrupt' | 'input_required';
  readonly message: string;
  readonly toolCallId?: string;
  /** JSON Schema of the answer. */
  readonly responseSchema?: Readonly<Record<string, unknown>>;
  /** With `interrupt`: the value that the graph asks with. */
  readonly metadata?: { readonly value: unknown };
  /** ISO 8601. */
  readonly expiresAt?: string;
}

export interface AgUiUsage extends Usage {
  readonly model: string;
}

export type AgUiMessage =
  | AgUiUserMessage
  | AgUiAssistantMessage
  | AgUiToolMessage
  | AgUiReasoningMessage
  | AgUiActivityMessage
  | AgUiForeignMessage;

export interface AgUiUserMessage {
  readonly id: string;
  readonly role: 'user';
  /** Parts, if it has files. */
  readonly content: string | readonly object[];
}

export interface AgUiAssistantMessage extends OfSubagent {
  readonly id: string;
  readonly role: 'assistant';
  /** Absent when it has only called tools. */
  readonly content?: string;
  readonly toolCalls?: readonly AgUiToolCall[];
}

export interface AgUiToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

export interface AgUiToolMessage {
  readonly id: string;
  readonly role: 'tool';
  readonly toolCallId: string;
  readonly content: string;
}

export interface AgUiReasoningMessage extends OfSubagent {
  readonly id: string;
  readonly role: 'reasoning';
  readonly content: string;
}

/** A file or a source, with the facts that the log has of it. */
export interface AgUiActivityMessage extends OfSubagent {
  readonly id: string;
  readonly role: 'activity';
  readonly activityType: 'file' | 'source';
  readonly content: Readonly<Record<string, unknown>>;
}

/** A message that the client sent along. It gets it back as it was; we look at its id and its tool calls only. */
export interface AgUiForeignMessage {
  readonly id: string;
  readonly role: string;
  readonly content?: unknown;
  readonly toolCalls?: readonly { readonly id: string }[] | undefined;
}
