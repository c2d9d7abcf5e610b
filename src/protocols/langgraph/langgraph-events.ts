import type { RunState } from '../../events/run-state.js';

/**
 * The subset of LangGraph's event protocol, version 2, that we send. The spec checks it against `@langchain/protocol`. Graphs and agents inside the
 * run's own have LangGraph's namespaces; the state is always that of the whole graph.
 */
export interface LangGraphEvent {
  readonly type: 'event';
  readonly event_id: string;
  readonly seq: number;
  readonly method: LangGraphMethod;
  readonly params: {
    readonly namespace: readonly string[];
    /** Milliseconds since the epoch. */
    readonly timestamp: number;
    readonly data: unknown;
  };
}

/** A fact before it has its place in the stream. Without a namespace: that of its event. */
export type LangGraphFact = { readonly namespace?: readonly string[] } & (
  | { readonly method: 'lifecycle'; readonly data: LifecycleData }
  | { readonly method: 'messages'; readonly data: MessageData & { readonly run_id: string } }
  | { readonly method: 'tools'; readonly data: ToolData }
  | { readonly method: 'values'; readonly data: StateValues }
  | { readonly method: 'checkpoints'; readonly data: { readonly id: string; readonly parent_id?: string } }
  | { readonly method: 'custom'; readonly data: { readonly name: string; readonly payload: unknown } }
  | {
      readonly method: 'input.requested';
      readonly data: { readonly interrupt_id: string; readonly payload: unknown };
    }
  | { readonly method: 'input.answered'; readonly data: { readonly interrupt_ids: string[] } }
);

/** A graph's state: the messages, and the keys that its agent shows. */
export type StateValues = RunState & { readonly messages: readonly LangGraphMessage[] };

export type LangGraphMethod = LangGraphFact['method'];

export interface LifecycleData {
  readonly event: 'started' | 'running' | 'completed' | 'failed' | 'interrupted';
  readonly graph_name?: string;
  readonly error?: string;
}

export type MessageData =
  | { readonly event: 'message-start'; readonly role: 'ai'; readonly id: string }
  | { readonly event: 'content-block-start'; readonly index: 0; readonly content: ContentBlock }
  | { readonly event: 'content-block-delta'; readonly index: 0; readonly delta: ContentDelta }
  | { readonly event: 'content-block-finish'; readonly index: 0; readonly content: ContentBlock }
  | { readonly event: 'message-finish' };

export type ContentBlock =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly reasoning: string };

export interface Citation {
  readonly type: 'citation';
  readonly url?: string;
  readonly title?: string;
  readonly citedText?: string;
}

/** A file, by its address elsewhere or its id on this server. */
export interface FileBlock {
  readonly type: 'image' | 'audio' | 'video' | 'file';
  readonly mimeType: string;
  readonly url?: string;
  readonly fileId?: string;
  readonly metadata?: { readonly name?: string; readonly bytes?: number; readonly omitted?: string };
}

/** A block of a whole message. */
export type MessageBlock =
  | ContentBlock
  | { readonly type: 'text'; readonly text: string; readonly annotations: readonly Citation[] }
  | FileBlock;

export type ContentDelta =
  | { readonly type: 'text-delta'; readonly text: string }
  | { readonly type: 'reasoning-delta'; readonly reasoning: string };

export type ToolData =
  | {
      readonly event: 'tool-started';
      readonly tool_call_id: string;
      readonly tool_name: string;
      readonly input: unknown;
    }
  | { readonly event: 'tool-finished'; readonly tool_call_id: string; readonly output: unknown }
  | {
      readonly event: 'tool-error';
      readonly tool_call_id: string;
      readonly message: string;
      readonly code: string;
    };

export interface UsageMetadata {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly total_tokens: number;
  readonly input_token_details?: { readonly cache_read?: number; readonly cache_creation?: number };
  readonly output_token_details?: { readonly reasoning: number };
}

/** A message as LangChain writes it down. */
export type LangGraphMessage =
  | {
      readonly type: 'human';
      readonly id: string;
      readonly content: string | readonly (FileBlock | { readonly type: 'text'; readonly text: string })[];
    }
  | {
      readonly type: 'ai';
      readonly id: string;
      readonly content: string | readonly MessageBlock[];
      readonly name?: string;
      readonly response_metadata?: { readonly finish_reason: string };
      readonly usage_metadata?: UsageMetadata;
      readonly tool_calls?: readonly {
        readonly type: 'tool_call';
        readonly id: string;
        readonly name: string;
        readonly args: unknown;
      }[];
    }
  | {
      readonly type: 'tool';
      readonly id: string;
      readonly tool_call_id: string;
      readonly name: string;
      readonly content: string;
      readonly status: 'success' | 'error';
    };
