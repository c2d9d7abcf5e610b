import type { ApprovalRequest, ToolEnd, ToolStart } from '../../events/run-event.js';
import type {
  ApprovalRequestItem,
  CallItem,
  ItemPlace,
  MessageItem,
  ReasoningContent,
  ReasoningItem,
  TextContent,
  UnnumberedEvent,
} from './responses.types.js';

/** What the server's own tools are called where the protocol knows only those of MCP servers. */
const SERVER_LABEL = 'tools';

export type WordsItem = MessageItem | ReasoningItem;

export function newWords(kind: 'text' | 'reasoning', id: string): WordsItem {
  if (kind === 'reasoning') return { type: 'reasoning', id, status: 'in_progress', summary: [], content: [] };
  return { type: 'message', id, role: 'assistant', status: 'in_progress', content: [] };
}

export function withText(item: WordsItem, text: string): WordsItem {
  return item.type === 'message'
    ? { ...item, content: [textPart(text)] }
    : { ...item, content: [reasoningPart(text)] };
}

export function textOfWords({ content }: WordsItem): string {
  return content[0]?.text ?? '';
}

/** A part of words begins, goes on and ends; the protocol says its text three times over when it ends. */
export function wordsBegun(item: WordsItem, place: ItemPlace): UnnumberedEvent {
  const part = item.type === 'message' ? textPart('') : reasoningPart('');
  return { type: 'response.content_part.added', ...place, content_index: 0, part };
}

export function wordsSaid(item: WordsItem, place: ItemPlace, delta: string): UnnumberedEvent {
  const said = { ...place, content_index: 0, delta } as const;
  return item.type === 'message'
    ? { type: 'response.output_text.delta', ...said, logprobs: [] }
    : { type: 'response.reasoning_text.delta', ...said };
}

export function wordsEnded(item: WordsItem, place: ItemPlace): UnnumberedEvent[] {
  const text = textOfWords(item);
  const ended = { ...place, content_index: 0, text } as const;
  const done: UnnumberedEvent =
    item.type === 'message'
      ? { type: 'response.output_text.done', ...ended, logprobs: [] }
      : { type: 'response.reasoning_text.done', ...ended };
  const part = item.type === 'message' ? textPart(text) : reasoningPart(text);
  return [done, { type: 'response.content_part.done', ...place, content_index: 0, part }];
}

export function newCall({ toolName, input }: ToolStart, id: string, approvalId?: string): CallItem {
  return {
    type: 'mcp_call',
    id,
    name: toolName,
    server_label: SERVER_LABEL,
    arguments: argumentsOf(input),
    status: 'in_progress',
    output: null,
    error: null,
    ...(approvalId !== undefined && { approval_request_id: approvalId }),
  };
}

export function callBegun({ arguments: json }: CallItem, place: ItemPlace): UnnumberedEvent[] {
  return [
    { type: 'response.mcp_call.in_progress', ...place },
    { type: 'response.mcp_call_arguments.delta', ...place, delta: json },
    { type: 'response.mcp_call_arguments.done', ...place, arguments: json },
  ];
}

export function endedCall(call: CallItem, { outcome, output, error }: ToolEnd): CallItem {
  if (outcome === 'ok')
    return { ...call, status: 'completed', output: output === undefined ? null : textOfOutput(output) };
  const content = [{ type: 'text', text: error?.message ?? `The call ended: ${outcome}.` }];
  return { ...call, status: 'failed', error: { type: 'mcp_tool_execution_error', content } };
}

export function approvalRequest({ toolName, input }: ApprovalRequest, id: string): ApprovalRequestItem {
  return {
    type: 'mcp_approval_request',
    id,
    name: toolName,
    server_label: SERVER_LABEL,
    arguments: argumentsOf(input),
  };
}

function textPart(text: string): TextContent {
  return { type: 'output_text', text, annotations: [] };
}

function reasoningPart(text: string): ReasoningContent {
  return { type: 'reasoning_text', text };
}

/** Of input that is not exposed, clients see an empty object: they parse what is there. */
function argumentsOf(input: unknown): string {
  return JSON.stringify(input ?? {});
}

function textOfOutput(output: unknown): string {
  return typeof output === 'string' ? output : JSON.stringify(output);
}
