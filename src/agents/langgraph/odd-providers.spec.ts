import { afterEach, describe, expect, it } from '@jest/globals';
import type { RecordedEvent } from '../../events/recorded-event.js';
import { createModel } from './model.factory.js';
import { chat, closeStacks, getEnd, noteTool, stackWith } from './langgraph-stack.testing.js';
import {
  callDelta,
  delta,
  says,
  startProvider,
  type ScriptedProvider,
  type ScriptedReply,
} from './scripted-provider.testing.js';

const providers: ScriptedProvider[] = [];
afterEach(async () => {
  await closeStacks();
  await Promise.all(providers.splice(0).map((provider) => provider.close()));
});

/** An agent whose provider answers these, one after the other; and the notes that its tool was given. */
async function createAgent(replies: readonly ScriptedReply[]) {
  const provider = await startProvider((_request, index) => replies[index] ?? says('Done.'));
  providers.push(provider);
  const model = await createModel('openai:scripted', {
    baseUrl: provider.baseUrl,
    timeoutMs: 10_000,
    maxRetries: 0,
  });
  const notes: string[] = [];
  const note = noteTool('note', async (input) => {
    notes.push(input.note);
    return 'noted';
  });
  return { ...(await stackWith(chat(model), { tools: [note] })), provider, notes };
}

const shown = (log: readonly RecordedEvent[], type: string) =>
  log.flatMap(({ event }) => (event.type === type && 'delta' in event ? [event.delta] : [])).join('');
const words = (content: unknown) => delta({ content });
const stop = delta({}, 'stop');
const piece = (fields: object) => delta({ tool_calls: [fields] });
const NOTED = '{"note":"x"}';

describe('an answer in words', () => {
  const whole = {
    id: 'x',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }],
  };

  it.each<[string, ScriptedReply]>([
    [
      'in parts of text',
      { chunks: [words([{ type: 'text', text: 'Hel' }]), words([{ type: 'text', text: 'lo.' }]), stop] },
    ],
    [
      'with empty parts between its words',
      { chunks: [words([]), words('Hello.'), words([]), words(null), stop] },
    ],
    [
      'by another role',
      { chunks: [delta({ role: 'user', content: 'Hel' }), delta({ role: '', content: 'lo.' }), stop] },
    ],
    [
      'with chunks without choices',
      { chunks: [{ id: 'x', choices: [] }, { id: 'x', choices: null }, { id: 'x' }, words('Hello.'), stop] },
    ],
    ['with its reason beside its last words', { chunks: [words('Hel'), delta({ content: 'lo.' }, 'stop')] }],
    ['with a message in place of a delta', { chunks: [whole] }],
    [
      'with a whole message in place of a stream',
      { chunks: [JSON.stringify(whole, null, 2)], end: 'close', type: 'application/json' },
    ],
    [
      'with other line ends, comments and no spaces',
      {
        chunks: [
          ': hi\r\n\r\n',
          `data:${JSON.stringify(words('Hel'))}\r\n\r\n: ping\r\n\r\nid: 7\r\nretry: 5\r\ndata:${JSON.stringify(delta({ content: 'lo.' }, 'stop'))}\r\n\r\ndata:[DONE]\r\n\r\n`,
        ],
        end: 'close',
      },
    ],
    ['behind a byte order mark', { chunks: [`\ufeffdata: ${JSON.stringify(words('Hello.'))}\n\n`, stop] }],
    ['that begins like a tag of thoughts', { chunks: [words(''), words('Hello.'), stop] }],
  ])('%s is shown and remembered', async (_name, reply) => {
    const { answerTo, provider } = await createAgent([reply]);
    const first = await answerTo('Hi');
    expect(getEnd(first)).toMatchObject({ outcome: 'completed' });
    expect(first.text).toBe('Hello.');
    await answerTo('Again', first.threadId);
    expect(provider.requests.at(-1)!.messages.map(({ content }) => content)).toEqual([
      'Hi',
      'Hello.',
      'Again',
    ]);
    expect(provider.refusals).toEqual([]);
  });

  it.each([
    [{ prompt_tokens: 'five', completion_tokens: -1, total_tokens: null }],
    [{ prompt_tokens: {}, completion_tokens: {}, total_tokens: [] }],
    [null],
    ['none'],
    [{ prompt_tokens_details: null, completion_tokens_details: 'none' }],
  ])('with usage %j has sound counts', async (usage) => {
    const { answerTo } = await createAgent([
      { chunks: [words('Hello.'), { ...stop, usage }, { id: 'x', choices: [], usage }] },
    ]);
    const answered = await answerTo('Hi');
    expect(answered.text).toBe('Hello.');
    expect(getEnd(answered)).toMatchObject({
      outcome: 'completed',
      usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
    });
    // As values: the letters alone may be part of an id.
    expect(JSON.stringify(answered.log)).not.toMatch(/[:[,]"?(?:null|NaN)/);
  });

  it.each<[string, ScriptedReply, string]>([
    [
      'before any word, whole',
      { chunks: ['{"error":{"code":429,"message":"secret"}}'], end: 'close', type: 'application/json' },
      'MODEL_OVERLOADED',
    ],
    [
      'before any word, as an event of its own',
      {
        chunks: ['event: error\ndata: {"error":{"message":"secret","type":"server_error"}}\n\n'],
        end: 'close',
      },
      'MODEL_FAILED',
    ],
    [
      'after a call',
      { chunks: [callDelta({ id: 'c1', name: 'note', args: NOTED }), { error: { message: 'secret' } }] },
      'MODEL_FAILED',
    ],
    ['that is no JSON', { chunks: [words('Hel'), 'data: {"cho\n\n'], end: 'close' }, 'MODEL_FAILED'],
  ])('with an error %s fails, which may be tried again', async (_name, reply, code) => {
    const { answerTo, notes } = await createAgent([reply]);
    const answered = await answerTo('Hi');
    expect(getEnd(answered)).toMatchObject({ outcome: 'failed', error: { code, retryable: true } });
    expect(notes).toEqual([]);
    expect(JSON.stringify(answered.log)).not.toContain('secret');
  });
});

describe('thoughts', () => {
  it.each<[string, readonly object[]]>([
    ['as reasoning', [delta({ reasoning: 'Hm, ' }), delta({ reasoning: 'well.' })]],
    [
      'as reasoning beside an empty reasoning_content',
      [delta({ reasoning: 'Hm, well.', reasoning_content: '' })],
    ],
    [
      'as the same words under two names',
      [delta({ reasoning: 'Hm, well.', reasoning_content: 'Hm, well.' })],
    ],
    ['as thinking', [delta({ thinking: 'Hm, well.' })]],
    ['as parts', [words([{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm, well.' }] }])]],
    ['between tags', [words('<think>Hm, well.</think>\n\n')]],
    [
      'between tags that come in pieces',
      ['\n<th', 'ink>Hm, ', 'well.</', 'thin', 'k>', '\n', '\n'].map(words),
    ],
  ])('%s are reasoning, and no part of the answer', async (_name, thoughts) => {
    const { answerTo, provider } = await createAgent([
      { chunks: [...thoughts, words('Yes, <think> is a tag.'), stop] },
    ]);
    const answered = await answerTo('Hi');
    expect(shown(answered.log, 'reasoning-delta')).toBe('Hm, well.');
    expect(answered.text).toBe('Yes, <think> is a tag.');
    await answerTo('Again', answered.threadId);
    expect(JSON.stringify(provider.requests.at(-1))).not.toContain('Hm, well.');
    expect(provider.refusals).toEqual([]);
  });

  it.each([
    [['<think>Hm, well.'], 'Hm, well.', ''],
    [['<think>Hm, well.</thi'], 'Hm, well.</thi', ''],
    [['<thi'], '', '<thi'],
    [['<', '3 you'], '', '<3 you'],
  ])('that are %j end with the answer', async (pieces, reasoning, text) => {
    for (const last of [[stop], []]) {
      const { answerTo } = await createAgent([{ chunks: [...pieces.map(words), ...last] }]);
      const answered = await answerTo('Hi');
      expect(shown(answered.log, 'reasoning-delta')).toBe(reasoning);
      expect(answered.text).toBe(text);
    }
  });
});

describe('a call of a tool', () => {
  it.each<[string, readonly object[], readonly string[]]>([
    [
      'with its arguments as an object',
      [piece({ index: 0, id: 'c1', function: { name: 'note', arguments: { note: 'x' } } })],
      ['x'],
    ],
    [
      'with its id in a later piece',
      [
        piece({ index: 0, function: { name: 'note', arguments: '{"note":' } }),
        piece({ index: 0, id: 'c1', function: { arguments: '"x"}' } }),
      ],
      ['x'],
    ],
    [
      'with its name in a later piece',
      [
        piece({ index: 0, id: 'c1', function: { arguments: '' } }),
        piece({ index: 0, function: { name: 'note', arguments: NOTED } }),
      ],
      ['x'],
    ],
    [
      'with its name in each piece',
      [
        piece({ index: 0, id: 'c1', function: { name: 'note', arguments: '{"note":' } }),
        piece({ index: 0, id: 'c1', function: { name: 'note', arguments: '"x"}' } }),
      ],
      ['x'],
    ],
    ['without an index', [piece({ id: 'c1', function: { name: 'note', arguments: NOTED } })], ['x']],
    [
      'in the form before tools',
      [
        delta({ function_call: { name: 'note', arguments: '{"note":' } }),
        delta({ function_call: { arguments: '"x"}' } }),
      ],
      ['x'],
    ],
    [
      'beside words and null',
      [
        delta({ content: null, tool_calls: null }),
        delta({ content: '', tool_calls: [] }),
        callDelta({ id: 'c1', name: 'note', args: NOTED }),
      ],
      ['x'],
    ],
    [
      'beside another, with a gap between their numbers',
      [1, 5].map((index) => callDelta({ id: `c${index}`, name: 'note', args: NOTED, index })),
      ['x', 'x'],
    ],
    [
      'beside another, with numbers in quotes',
      ['0', '1'].map((index) =>
        piece({ index, id: `c${index}`, function: { name: 'note', arguments: NOTED } }),
      ),
      ['x', 'x'],
    ],
    [
      'beside another, with one id',
      [0, 1].map((index) => callDelta({ id: 'c1', name: 'note', args: NOTED, index })),
      ['x', 'x'],
    ],
    [
      'beside another, with one number',
      ['c1', 'c2'].map((id) => callDelta({ id, name: 'note', args: NOTED, index: 0 })),
      ['x', 'x'],
    ],
    [
      'beside another, in pieces that alternate',
      [
        callDelta({ id: 'a', name: 'note', args: '{"note":', index: 0 }),
        callDelta({ id: 'b', name: 'note', args: '{"note":', index: 1 }),
        callDelta({ args: '"x"}', index: 0 }),
        callDelta({ args: '"y"}', index: 1 }),
      ],
      ['x', 'y'],
    ],
  ])('%s is made', async (_name, chunks, made) => {
    for (const reason of ['tool_calls', 'stop', 'function_call']) {
      const { answerTo, notes, provider } = await createAgent([{ chunks: [...chunks, delta({}, reason)] }]);
      const answered = await answerTo('Hi');
      expect(notes.toSorted()).toEqual(made);
      expect(answered.text).toBe('Done.');
      expect(provider.refusals).toEqual([]);
    }
  });
});
