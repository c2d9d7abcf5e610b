import * as ai from 'ai';
import type { UIMessage, UIMessageChunk } from 'ai';
import type { RunView, ViewPart } from '../../events/run-view.js';
import type { AiSdkChunk } from './ai-sdk.chunks.js';

/** What the AI SDK makes of a stream: the last state of its message, and the failures. */
export async function readMessage(
  chunks: readonly AiSdkChunk[],
  sdk: Pick<typeof ai, 'readUIMessageStream'> = ai,
) {
  const errors: string[] = [];
  const stream = new ReadableStream<UIMessageChunk>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(JSON.parse(JSON.stringify(chunk)) as UIMessageChunk);
      controller.close();
    },
  });
  const onError = (error: unknown) => errors.push((error as Error).message);
  let message: UIMessage | undefined;
  for await (const state of sdk.readUIMessageStream({ stream, onError })) message = state;
  return { message, errors };
}

/** A message's parts, without what is only punctuation. */
export function partsOf(message: UIMessage | undefined) {
  return (message?.parts ?? [])
    .filter(({ type }) => type !== 'step-start' && type !== 'data-tool-progress')
    .map((part) => {
      if (part.type === 'text' || part.type === 'reasoning')
        return { type: part.type, text: part.text, state: part.state };
      if (part.type === 'dynamic-tool') {
        const { toolCallId, toolName, title, state, input } = part;
        return { toolCallId, toolName, title, state, input, output: part.output };
      }
      return { type: part.type, data: (part as { data?: unknown }).data };
    });
}

/** The same parts, as our own view has them. */
export function expectedParts(view: RunView): unknown {
  const parts = view.parts.map((part: ViewPart) => {
    if (part.kind === 'text' || part.kind === 'reasoning')
      return { type: part.kind, text: part.text, state: part.open ? 'streaming' : 'done' };
    if (part.kind === 'custom') return { type: `data-${part.name}`, data: part.data };
    const { toolCallId, toolName, label: title, input = null } = part;
    return { toolCallId, toolName, title, input, ...toolState(part) };
  });
  return JSON.parse(JSON.stringify(parts));
}

function toolState(part: Extract<ViewPart, { kind: 'tool' | 'approval' }>) {
  if (part.kind === 'approval') return { state: 'approval-requested', output: undefined };
  if (part.outcome === undefined) return { state: 'input-available', output: undefined };
  if (part.outcome === 'ok') return { state: 'output-available', output: part.output ?? null };
  return { state: 'output-error', output: undefined };
}
