import * as ai from 'ai';
import type { UIMessage, UIMessageChunk } from 'ai';
import type { RequestedApproval } from '../../events/requested-input.js';
import type { FilePart, RunView, SourcePart, ToolPart, ViewPart } from '../../events/run-view.js';
import { isInsideCall } from '../../events/subagent.js';
import type { AiSdkChunk } from './ai-sdk-chunks.js';

/** Returns the AI SDK's view of a stream, on top of its earlier message: its last state, and the failures. */
export async function readMessage(
  chunks: readonly AiSdkChunk[],
  sdk: Pick<typeof ai, 'readUIMessageStream'> = ai,
  before?: UIMessage,
) {
  const errors: string[] = [];
  const stream = new ReadableStream<UIMessageChunk>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(JSON.parse(JSON.stringify(chunk)) as UIMessageChunk);
      controller.close();
    },
  });
  const onError = (error: unknown) => errors.push((error as Error).message);
  let message = before;
  const states = sdk.readUIMessageStream({ stream, onError, ...(before && { message: before }) });
  for await (const state of states) message = state;
  return { message, errors };
}

/** A message's parts, without what is only punctuation. */
export function listParts(message: UIMessage | undefined) {
  return (message?.parts ?? [])
    .filter(
      ({ type }) => !['step-start', 'data-tool-progress', 'data-tool-input', 'data-state'].includes(type),
    )
    .map((part) => {
      if (part.type === 'text' || part.type === 'reasoning')
        return { type: part.type, text: part.text, state: part.state };
      if (part.type === 'dynamic-tool') {
        const { toolCallId, toolName, title, state, input } = part;
        return { toolCallId, toolName, title, state, input, output: part.output };
      }
      if (part.type === 'file') return { type: part.type, url: part.url, mediaType: part.mediaType };
      if (part.type === 'source-url') return { type: part.type, url: part.url, title: part.title };
      if (part.type === 'source-document') return { type: part.type, title: part.title };
      return { type: part.type, data: (part as { data?: unknown }).data };
    });
}

/** The state that a message shows last. */
export function readState(message: UIMessage | undefined): unknown {
  const states = (message?.parts ?? []).filter(({ type }) => type === 'data-state');
  return (states.at(-1) as { readonly data?: unknown } | undefined)?.data;
}

/** The same parts, as our own view has them. */
export function expectedParts(view: RunView): unknown {
  return JSON.parse(JSON.stringify(view.parts.flatMap((part) => expectedPart(part, view))));
}

/** The same, when the run before it has stopped for some of the calls: they stay where they were asked for. */
export function expectedTogether(
  before: RunView,
  inputs: readonly RequestedApproval[],
  after: RunView,
): unknown {
  const asked = new Map(inputs.map((approval) => [approval.toolCallId, approval]));
  const own = after.parts.filter((part) => part.kind !== 'tool' || !asked.has(part.toolCallId));
  const first = before.parts.flatMap((part) => {
    const approval = part.kind === 'approval' ? asked.get(part.toolCallId) : undefined;
    return approval ? [decidedPart(approval, after)] : expectedPart(part, before);
  });
  return JSON.parse(JSON.stringify([...first, ...own.flatMap((part) => expectedPart(part, after))]));
}

/** A message of an agent that a tool calls is sent once it is complete. */
function expectedPart(part: ViewPart, { status }: RunView): object[] {
  if ((part.kind === 'text' || part.kind === 'reasoning') && isInsideCall(part)) {
    const { kind, text, subagent, open } = part;
    return [{ type: 'data-subagent', data: { kind, text: open ? '' : text, subagent } }];
  }
  if (part.kind === 'text' || part.kind === 'reasoning')
    return [{ type: part.kind, text: part.text, state: part.open ? 'streaming' : 'done' }];
  if (part.kind === 'file' || part.kind === 'source') return [expectedFile(part)];
  if (part.kind === 'person')
    return [{ type: 'data-user-message', data: { id: part.messageId, text: part.text } }];
  if (part.kind === 'custom') return [{ type: `data-${part.name}`, data: part.data }];
  if (part.kind !== 'tool' && part.kind !== 'approval') throw new Error(`No run here has ${part.kind}.`);
  const { toolCallId, toolName, label: title, input = null } = part;
  const call = { toolCallId, toolName, title, input };
  if (part.kind === 'tool') return [{ ...call, ...toOutcome(part) }];
  const isOver = status === 'failed' || status === 'cancelled';
  return [{ ...call, state: isOver ? 'output-error' : 'approval-requested' }];
}

function expectedFile(part: FilePart | SourcePart): object {
  const { partId: _, stepId: __, continued: ___, subagent, ...facts } = part;
  if (isInsideCall(part)) return { type: 'data-subagent', data: { ...facts, subagent } };
  const { url } = part;
  if (part.kind === 'file') {
    const { kind: ____, ...file } = facts as FilePart;
    return url === undefined
      ? { type: 'data-file', data: { ...file, ...(subagent && { subagent }) } }
      : { type: 'file', url, mediaType: part.mediaType };
  }
  const { title } = part;
  return url === undefined
    ? { type: 'source-document', title: title || 'Source' }
    : { type: 'source-url', url, ...(title && { title }) };
}

/** As it ended in the run that goes on; of a call that it has not made, that it was not made. */
function decidedPart(
  { toolCallId, toolName, label: title, input, answer }: RequestedApproval,
  { parts }: RunView,
) {
  const call = { toolCallId, toolName, title, input };
  const made = parts.findLast(
    (part): part is ToolPart => part.kind === 'tool' && part.toolCallId === toolCallId,
  );
  if (answer?.decision === 'deny') return { ...call, state: 'output-denied' };
  return { ...call, ...(made ? toOutcome(made) : { state: 'output-error' }) };
}

function toOutcome({ outcome, output = null }: ToolPart) {
  if (outcome === undefined || outcome === 'awaiting-input') return { state: 'input-available' };
  return outcome === 'ok' ? { state: 'output-available', output } : { state: 'output-error' };
}
