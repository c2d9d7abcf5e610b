import type { FinishReason, Usage } from '../../events/run-event.js';
import type { UrlCitation } from './openai-files.js';

/** The reason why a response is incomplete. */
export interface IncompleteDetails {
  readonly reason: 'max_output_tokens' | 'content_filter';
}

/** The Responses API's words, as far as runs need them. `openai` refuses a `response.*` event whose type it does not know. */
export interface ResponseObject {
  readonly id: string;
  readonly object: 'response';
  /** Seconds since the epoch. */
  readonly created_at: number;
  readonly status: 'queued' | 'in_progress' | 'completed' | 'incomplete' | 'failed' | 'cancelled';
  readonly background: boolean;
  readonly conversation: { readonly id: string };
  readonly error: { readonly code: 'server_error'; readonly message: string } | null;
  readonly incomplete_details: IncompleteDetails | null;
  readonly instructions: null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly model: string;
  readonly output: readonly OutputItem[];
  readonly parallel_tool_calls: true;
  readonly previous_response_id: string | null;
  readonly temperature: null;
  readonly tool_choice: 'auto';
  readonly tools: readonly FunctionTool[];
  readonly top_p: null;
  readonly usage: ResponseUsage | null;
}

export interface ResponseUsage {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
}

export type OutputItem = MessageItem | ReasoningItem | CallItem | RequestItem;

/** An item that the next request answers. */
export type RequestItem = ApprovalRequestItem | FunctionCallItem;
type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

export interface MessageItem {
  readonly type: 'message';
  readonly id: string;
  readonly role: 'assistant';
  readonly status: ItemStatus;
  readonly content: readonly TextContent[];
}

export interface ReasoningItem {
  readonly type: 'reasoning';
  readonly id: string;
  readonly status: ItemStatus;
  readonly summary: readonly [];
  readonly content: readonly ReasoningContent[];
}

export interface TextContent {
  readonly type: 'output_text';
  readonly text: string;
  readonly annotations: readonly ResponseAnnotation[];
}

export interface ResponseAnnotation extends UrlCitation {
  readonly type: 'url_citation';
}

export interface ReasoningContent {
  readonly type: 'reasoning_text';
  readonly text: string;
}

/** A call that the server makes: `function_call` would ask the client to make it. */
export interface CallItem {
  readonly type: 'mcp_call';
  readonly id: string;
  readonly name: string;
  readonly server_label: string;
  /** JSON. */
  readonly arguments: string;
  readonly status: ItemStatus | 'failed';
  readonly output: string | null;
  readonly error: { readonly type: 'mcp_tool_execution_error'; readonly content: unknown } | null;
  /** The request that a person has answered before the call. */
  readonly approval_request_id?: string;
}

/** A call that the client makes: of a tool of its own, or of none, where a graph or an MCP server asks a question. */
export interface FunctionCallItem {
  readonly type: 'function_call';
  readonly id: string;
  /** The id that its `function_call_output` names. */
  readonly call_id: string;
  readonly name: string;
  readonly arguments: string;
  readonly status: 'completed';
}

export interface ApprovalRequestItem {
  readonly type: 'mcp_approval_request';
  readonly id: string;
  readonly name: string;
  readonly server_label: string;
  /** JSON. */
  readonly arguments: string;
}

export type ResponseEvent = UnnumberedEvent & { readonly sequence_number: number };

/** Position of an item in the output. */
export interface ItemPosition {
  readonly item_id: string;
  readonly output_index: number;
}

export type UnnumberedEvent =
  | {
      readonly type:
        | 'response.created'
        | 'response.in_progress'
        | 'response.completed'
        | 'response.failed'
        | 'response.incomplete';
      readonly response: ResponseObject;
    }
  | {
      readonly type: 'response.output_item.added' | 'response.output_item.done';
      readonly output_index: number;
      readonly item: OutputItem;
    }
  | (ItemPosition & {
      readonly type: 'response.content_part.added' | 'response.content_part.done';
      readonly content_index: 0;
      readonly part: TextContent | ReasoningContent;
    })
  | (ItemPosition & {
      readonly type: 'response.output_text.delta' | 'response.reasoning_text.delta';
      readonly content_index: 0;
      readonly delta: string;
      readonly logprobs?: readonly [];
    })
  | (ItemPosition & {
      readonly type: 'response.output_text.annotation.added';
      readonly content_index: 0;
      readonly annotation_index: number;
      readonly annotation: ResponseAnnotation;
    })
  | (ItemPosition & {
      readonly type: 'response.output_text.done' | 'response.reasoning_text.done';
      readonly content_index: 0;
      readonly text: string;
      readonly logprobs?: readonly [];
    })
  | (ItemPosition & {
      readonly type:
        'response.mcp_call.in_progress' | 'response.mcp_call.completed' | 'response.mcp_call.failed';
    })
  | (ItemPosition & { readonly type: 'response.mcp_call_arguments.delta'; readonly delta: string })
  | (ItemPosition & { readonly type: 'response.mcp_call_arguments.done'; readonly arguments: string });

export function toUsage(usage: Usage): ResponseUsage {
  const { inputTokens, outputTokens, totalTokens, cachedInputTokens = 0, reasoningTokens = 0 } = usage;
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedInputTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: totalTokens,
  };
}

/** A function that the client runs. */
export interface FunctionTool {
  readonly type: 'function';
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>> | null;
  readonly strict: null;
}

export function isRequest(item: OutputItem): item is RequestItem {
  return item.type === 'mcp_approval_request' || item.type === 'function_call';
}

/** A refusal, and no answer at all, are complete here. */
export const INCOMPLETE: Partial<Record<FinishReason, IncompleteDetails['reason']>> = {
  length: 'max_output_tokens',
  'content-filter': 'content_filter',
};
