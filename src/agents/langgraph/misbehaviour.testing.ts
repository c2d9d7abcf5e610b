import * as fc from 'fast-check';
import type { RunEvent } from '../../events/run-event.js';
import { hang, noteTool } from './langgraph-stack.testing.js';
import {
  callDelta,
  calls,
  delta,
  type ScriptedReply,
  type WireRequest,
} from './scripted-provider.testing.js';

/** One turn of a conversation: the question, the replies of the provider, and the moment at which the person leaves it, if it comes to that. */
export interface Turn {
  readonly question: string;
  readonly replies: readonly ScriptedReply[];
  readonly cancelled?: keyof typeof LEFT;
}

/** Longer than a result may be, and too long for the provider. */
const LONG = 'long 😀 '.repeat(110_000);
const HALF = '\ud83d';
/** The provider's filter refuses every request with it. */
const FILTERED = 'forbidden';

/** Everything that a tool may come to; what it is asked to do is in the note. */
async function misbehave(note: string): Promise<unknown> {
  switch (note) {
    case 'half':
      return `a result ${HALF}`;
    case 'throws':
      throw new Error(`It broke ${HALF}`);
    case 'throws words':
      throw 'words';
    case 'throws nothing':
      throw null;
    case 'throws many':
      throw new AggregateError([new Error('one'), null]);
    case 'long':
      return LONG;
    case 'empty':
      return '';
    case 'nothing':
      return undefined;
    case 'big number':
      return { count: 7n };
    case 'circle': {
      const circle: Record<string, unknown> = {};
      return Object.assign(circle, { circle });
    }
    case 'filtered':
      return `a ${FILTERED} page`;
    default:
      return `noted ${note}`;
  }
}

const NOTES = [
  'x',
  'half',
  'throws',
  'throws words',
  'throws nothing',
  'throws many',
  'long',
  'empty',
  'nothing',
  'big number',
  'circle',
  'filtered',
];

/** Tools of the agent: one that misbehaves, and one that never ends by itself. */
export const misbehavingTools = [
  noteTool('note', ({ note }) => misbehave(note)),
  noteTool('slow', (_input, { signal }) => hang(signal)),
];

const callId = fc.constantFrom('call_1', 'call_1', 'call_2', '', null, undefined, 'x'.repeat(70), HALF);
const calling = fc.constantFrom(...NOTES).map((note) => JSON.stringify({ note }));
const name = fc.constantFrom('note', 'note', 'note', 'unheard', 'no name at all', 'a.b', '');
const oneCall = fc.record({
  id: callId,
  name,
  args: fc.oneof(
    { weight: 3, arbitrary: calling },
    fc.constantFrom<unknown>('', '{', '{"note":"ha', '7', 'null', '[]', { note: 'x' }, null),
  ),
  /** Calls of one answer may leave out numbers, or all have the same. */
  gap: fc.constantFrom(0, 0, 1, 5),
});

const wholeCalls = fc.array(oneCall, { minLength: 1, maxLength: 3 }).map((made): ScriptedReply => ({
  chunks: [
    ...made.map(({ id, name: called, args, gap }, index) =>
      callDelta({ ...(id !== undefined && { id }), name: called, args, index: index + gap }),
    ),
    delta({}, 'tool_calls'),
  ],
}));
const words = fc.constantFrom<unknown>(
  '',
  ' ',
  'Some words.',
  `Half ${HALF}`,
  '{"route":"math"}',
  `A ${FILTERED} word`,
  null,
  [],
);
const reason = fc.constantFrom('stop', 'length', 'content_filter', 'tool_calls', 'error', 'unheard', null);
const end = fc.constantFrom<ScriptedReply['end']>('done', 'close', 'reset');
const usage = fc.constantFrom<unknown>(undefined, null, { prompt_tokens: 'many', total_tokens: null }, {});
const oddWords = fc
  .record({ words, reason, end, usage, id: fc.constantFrom('', 'same', undefined) })
  .map(({ words: content, reason: why, end: how, usage: counts, id }): ScriptedReply => ({
    chunks: [
      delta({ role: 'assistant', content }, null, id),
      ...(why ? [delta({}, why, id)] : []),
      ...(counts === undefined ? [] : [{ id: 'x', choices: [], usage: counts }]),
    ],
    ...(how && { end: how }),
  }));
const cutCall = fc
  .record({ end, why: fc.constantFrom('length', 'content_filter', null) })
  .map(({ end: how, why }): ScriptedReply => ({
    chunks: [callDelta({ id: 'cut', name: 'note', args: '{"note":"ha' }), ...(why ? [delta({}, why)] : [])],
    ...(how && { end: how }),
  }));
const odd: fc.Arbitrary<ScriptedReply> = fc.constantFrom<ScriptedReply>(
  { chunks: [delta({ refusal: 'I will not.' }), delta({}, 'stop')] },
  { chunks: [delta({ reasoning: 'Hm.' }), delta({}, 'stop')] },
  { chunks: [delta({ content: 'Begun ' }), { error: { code: 502, message: 'Provider returned error' } }] },
  { chunks: [...calls('call_1').chunks.slice(0, 1), { error: { message: 'after a call' } }] },
  { chunks: ['data: <html>\n\n'], end: 'close' },
  {
    chunks: [
      'data:{"id":"x","choices":[{"index":0,"delta":{"content":"Tight."}}]}\r\n\r\n',
      ': ping\r\n\r\n',
    ],
  },
  { chunks: [], end: 'close' },
  { chunks: [] },
  { chunks: ['{"error":{"message":"no"}}'], status: 500, end: 'close' },
  { chunks: ['{"error":{"message":"no"}}'], end: 'close' },
  { chunks: ['<html>'], status: 403, end: 'close' },
  { chunks: [{ id: 'x', choices: [{ index: 0, finish_reason: 'stop' }] }] },
  { chunks: [{ id: 'x', choices: null }, delta({ role: 'user', content: 'A role.' }), delta({}, 'stop')] },
);
const reply = fc.oneof(wholeCalls, oddWords, cutCall, odd);

/** Moments at which a turn is left before it is over. */
const LEFT: Record<'in words' | 'in a tool' | 'in silence', ScriptedReply> = {
  'in words': { chunks: [delta({ content: 'Half an ans' })], end: 'hang' },
  'in a tool': calls('call_1', 'slow'),
  'in silence': { chunks: [], end: 'hang' },
};
const question = fc.constantFrom('Go', 'Go', 'Go', ' ', `Tell me the ${FILTERED} thing`);
const turn: fc.Arbitrary<Turn> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ question, replies: fc.array(reply, { minLength: 1, maxLength: 2 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      question,
      replies: fc.array(wholeCalls, { maxLength: 1 }),
      cancelled: fc.constantFrom(...(Object.keys(LEFT) as (keyof typeof LEFT)[])),
    }),
  },
);

/** A conversation in which everything may go wrong. */
export const conversation: fc.Arbitrary<readonly Turn[]> = fc.array(turn, { minLength: 1, maxLength: 3 });

/** Returns the replies of a turn, with the one in which it is left. */
export function listReplies({ replies, cancelled }: Turn): ScriptedReply[] {
  return cancelled ? [...replies, LEFT[cancelled]] : [...replies];
}

export function isLeftAt(event: RunEvent, { cancelled }: Turn): boolean {
  if (cancelled === 'in words') return event.type === 'text-delta';
  if (cancelled === 'in a tool') return event.type === 'tool-start' && event.toolName === 'slow';
  return event.type === 'step-start';
}

/** Returns how the provider's filter refuses a request; undefined if it lets it pass. */
export function refuseForbidden({ messages }: WireRequest): ScriptedReply | undefined {
  const isForbidden = (said: unknown) => (JSON.stringify(said) ?? '').includes(FILTERED);
  if (!isForbidden(messages)) return undefined;
  const error = { code: 'content_filter', message: 'The prompt was filtered.' };
  // What is new may also be found out while it is answered.
  return isForbidden(messages.at(-1)) && messages.length % 3 === 0
    ? { chunks: [delta({ content: 'Half ' }), delta({}, 'content_filter')] }
    : { chunks: [JSON.stringify({ error })], status: 400, end: 'close' };
}
