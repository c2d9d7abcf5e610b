import { describeRequest, type RequestedInput } from '../../events/requested-input.js';
import type { ToolEnd, ToolStart } from '../../events/run-event.js';
import { QUESTION_TOOL } from '../question-tool.js';
import type { UrlCitation } from './openai-files.js';
import type {
  CallItem,
  ItemPosition,
  MessageItem,
  ReasoningContent,
  ReasoningItem,
  RequestItem,
  TextContent,
  UnnumberedEvent,
} from './responses.types.js';

/** Label of the server's own tools, because the protocol knows only tools of MCP servers. */
const SERVER_LABEL = 'tools';

export type TextItem = MessageItem | ReasoningItem;

export function newTextItem(kind: 'text' | 'reasoning', id: string): TextItem {
  if (kind === 'reasoning') return { type: 'reasoning', id, status: 'in_progress', summary: [], content: [] };
  return { type: 'message', id, role: 'assistant', status: 'in_progress', content: [] };
}

export function withText(item: TextItem, text: string): TextItem {
  return item.type === 'message'
    ? { ...item, content: [textPart(text, item.content[0]?.annotations)] }
    : { ...item, content: [reasoningPart(text)] };
}

/** Adds a source to a message, and emits its event. */
export function cite(
  item: MessageItem,
  position: ItemPosition,
  citation: UrlCitation,
): { readonly item: MessageItem; readonly events: UnnumberedEvent[] } {
  const annotation = { type: 'url_citation', ...citation } as const;
  const annotations = [...(item.content[0]?.annotations ?? []), annotation];
  const content = [textPart(getItemText(item), annotations)];
  const added = {
    ...position,
    content_index: 0,
    annotation_index: annotations.length - 1,
    annotation,
  } as const;
  return {
    item: { ...item, content },
    events: [{ type: 'response.output_text.annotation.added', ...added }],
  };
}

export function getItemText({ content }: TextItem): string {
  return content[0]?.text ?? '';
}

/** A part of words begins, goes on and ends; the protocol says its text three times over when it ends. */
export function textStarted(item: TextItem, position: ItemPosition): UnnumberedEvent {
  const part = item.type === 'message' ? textPart('') : reasoningPart('');
  return { type: 'response.content_part.added', ...position, content_index: 0, part };
}

export function textDelta(item: TextItem, position: ItemPosition, delta: string): UnnumberedEvent {
  const fields = { ...position, content_index: 0, delta } as const;
  return item.type === 'message'
    ? { type: 'response.output_text.delta', ...fields, logprobs: [] }
    : { type: 'response.reasoning_text.delta', ...fields };
}

export function textEnded(item: TextItem, position: ItemPosition): UnnumberedEvent[] {
  const text = getItemText(item);
  const ended = { ...position, content_index: 0, text } as const;
  const done: UnnumberedEvent =
    item.type === 'message'
      ? { type: 'response.output_text.done', ...ended, logprobs: [] }
      : { type: 'response.reasoning_text.done', ...ended };
  const part = item.type === 'message' ? textPart(text, item.content[0]?.annotations) : reasoningPart(text);
  return [done, { type: 'response.content_part.done', ...position, content_index: 0, part }];
}

export function newCall({ toolName, input }: ToolStart, id: string, inputId?: string): CallItem {
  return {
    type: 'mcp_call',
    id,
    name: toolName,
    server_label: SERVER_LABEL,
    arguments: toArguments(input),
    status: 'in_progress',
    output: null,
    error: null,
    ...(inputId !== undefined && { approval_request_id: inputId }),
  };
}

export function callStarted({ arguments: json }: CallItem, position: ItemPosition): UnnumberedEvent[] {
  return [
    { type: 'response.mcp_call.in_progress', ...position },
    { type: 'response.mcp_call_arguments.delta', ...position, delta: json },
    { type: 'response.mcp_call_arguments.done', ...position, arguments: json },
  ];
}

export function endedCall(call: CallItem, { outcome, output, error }: ToolEnd): CallItem {
  if (outcome === 'ok')
    return { ...call, status: 'completed', output: output === undefined ? null : getOutputText(output) };
  const content = [{ type: 'text', text: error?.message ?? `The call ended: ${outcome}.` }];
  return { ...call, status: 'failed', error: { type: 'mcp_tool_execution_error', content } };
}

export function requestItem(request: RequestedInput): RequestItem {
  const { inputId: id } = request;
  switch (request.kind) {
    case 'approval': {
      const { toolName: name, input } = request;
      return {
        type: 'mcp_approval_request',
        id,
        name,
        server_label: SERVER_LABEL,
        arguments: toArguments(input),
      };
    }
    case 'client-tool':
      return functionCall(id, request.toolName, request.input);
    default: {
      const { schema } = request;
      const value = request.kind === 'interrupt' ? { value: request.value } : {};
      const asked = {
        kind: request.kind,
        message: describeRequest(request),
        ...value,
        ...(schema && { schema }),
      };
      return functionCall(id, QUESTION_TOOL, asked);
    }
  }
}

function functionCall(id: string, name: string, input: unknown): RequestItem {
  return { type: 'function_call', id, call_id: id, name, arguments: toArguments(input), status: 'completed' };
}

function textPart(text: string, annotations: TextContent['annotations'] = []): TextContent {
  return { type: 'output_text', text, annotations };
}

function reasoningPart(text: string): ReasoningContent {
  return { type: 'reasoning_text', text };
}

/** Of input that is not exposed, clients see an empty object: they parse what is there. */
function toArguments(input: unknown): string {
  return JSON.stringify(input ?? {});
}

function getOutputText(output: unknown): string {
  return typeof output === 'string' ? output : JSON.stringify(output);
}
