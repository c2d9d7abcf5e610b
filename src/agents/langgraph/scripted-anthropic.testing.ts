import type { ScriptedReply } from './scripted-provider.testing.js';

const USAGE = { input_tokens: 5, output_tokens: 1 };

/** The first frame of an answer of Anthropic Messages. */
export function messageStart(): object {
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'scripted',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: USAGE,
  };
  return { type: 'message_start', message };
}

/** A block of an answer: its start, these pieces, and its end unless it was cut off. */
export function block(index: number, start: object, deltas: readonly object[], isWhole = true): object[] {
  return [
    { type: 'content_block_start', index, content_block: start },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    ...(isWhole ? [{ type: 'content_block_stop', index }] : []),
  ];
}

export const textBlock = (index: number, text: string, isWhole = true): object[] =>
  block(index, { type: 'text', text: '' }, [{ type: 'text_delta', text }], isWhole);

export const callBlock = (index: number, id: string, json: string, isWhole = true): object[] =>
  block(
    index,
    { type: 'tool_use', id, name: 'note', input: {} },
    [{ type: 'input_json_delta', partial_json: json }],
    isWhole,
  );

export const thinkingBlock = (index: number, thinking: string, signature?: string): object[] =>
  block(
    index,
    { type: 'thinking', thinking: '', signature: '' },
    [
      { type: 'thinking_delta', thinking },
      ...(signature === undefined ? [] : [{ type: 'signature_delta', signature }]),
    ],
    signature !== undefined,
  );

/** The last two frames. */
export function messageEnd(stop_reason: string | null): object[] {
  return [
    { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 7 } },
    { type: 'message_stop' },
  ];
}

/** A whole answer of these blocks. */
export function answers(blocks: readonly object[], stop_reason = 'end_turn'): ScriptedReply {
  return { chunks: [messageStart(), ...blocks, ...messageEnd(stop_reason)] };
}
