import { afterEach, describe, expect, it } from '@jest/globals';
import { MediaResult } from '../../tools/media-result.js';
import { createModel } from './model.factory.js';
import {
  chat,
  closeStacks,
  getEnd,
  noteTool,
  openStorage,
  stackWith,
  toolEnds,
} from './langgraph-stack.testing.js';
import { answers, callBlock, textBlock, thinkingBlock } from './scripted-anthropic.testing.js';
import {
  callDelta,
  calls,
  delta,
  says,
  closeProviders,
  inTurn,
  startProvider,
  type ScriptedReply,
  type WireRequest,
} from './scripted-provider.testing.js';

afterEach(async () => {
  await closeStacks();
  await closeProviders();
});

type Storage = Awaited<ReturnType<typeof openStorage>>;

/** An agent whose provider answers these, one after the other, unless it refuses. */
async function createAgent(
  replies: readonly ScriptedReply[],
  {
    spec = 'openai:thinker',
    refuse,
    storage,
    tool = noteTool('note', async () => 'noted'),
  }: {
    readonly tool?: ReturnType<typeof noteTool>;
    readonly spec?: string;
    readonly refuse?: (request: WireRequest) => string | undefined;
    readonly storage?: Storage;
  } = {},
) {
  const provider = await startProvider(inTurn(replies), refuse);
  const baseUrl = spec.startsWith('anthropic') ? provider.baseUrl.replace('/v1', '') : provider.baseUrl;
  const model = await createModel(spec, { baseUrl, timeoutMs: 10_000, maxRetries: 0 });
  const stack = await stackWith(chat(model), { tools: [tool], ...(storage && { storage }) });
  return { ...stack, provider };
}

type Answer = WireRequest['messages'][number] & {
  readonly reasoning_content?: string;
  readonly reasoning_details?: readonly unknown[];
  readonly tool_calls?: readonly { readonly id: string; readonly extra_content?: unknown }[];
};
const answersIn = ({ messages }: WireRequest) =>
  messages.filter(({ role }) => role === 'assistant') as readonly Answer[];
const COMPLETED = { outcome: 'completed' };

describe("the reasoning of a model with OpenAI's API", () => {
  /** DeepSeek's rules: with the calls that they led to, and with nothing else. */
  const refuse = (request: WireRequest) =>
    answersIn(request).some(
      ({ tool_calls, reasoning_content }) => Boolean(tool_calls) !== Boolean(reasoning_content),
    )
      ? 'Missing reasoning_content field in the assistant message'
      : undefined;
  const thinking: ScriptedReply = {
    chunks: [
      delta({ reasoning_content: 'Hm, ' }),
      delta({ reasoning_content: 'a note.' }),
      ...calls('c1').chunks,
    ],
  };

  it('sends reasoning_content back with the tool calls that it led to, in this turn and in later ones', async () => {
    const said = { chunks: [delta({ reasoning_content: 'Fine.' }), ...says('Noted.').chunks] };
    const { answerTo, provider } = await createAgent([thinking, said], { refuse });
    const first = await answerTo('Note it');
    expect(getEnd(first)).toMatchObject(COMPLETED);
    expect(getEnd(await answerTo('And now?', first.threadId))).toMatchObject(COMPLETED);
    expect(provider.refusals).toEqual([]);
    const [called, plain] = answersIn(provider.requests.at(-1)!);
    expect(called?.reasoning_content).toBe('Hm, a note.');
    expect(plain).not.toHaveProperty('reasoning_content');
  });

  it('does not send the reasoning of one model to another', async () => {
    const storage = await openStorage();
    const first = await createAgent([thinking], { storage });
    const { threadId } = await first.answerTo('Note it');
    await first.executor.drain(0);
    const { answerTo, provider } = await createAgent([says('Hi.')], { storage, spec: 'openai:another' });
    expect(getEnd(await answerTo('And now?', threadId))).toMatchObject(COMPLETED);
    expect(JSON.stringify(provider.requests)).not.toContain('a note.');
    expect(JSON.stringify(provider.requests)).not.toContain('give_back');
  });

  it('does not send back reasoning from the field `reasoning`, which providers refuse', async () => {
    const reply = { chunks: [delta({ reasoning: 'Hm.' }), ...calls('c1').chunks] };
    const { answerTo, provider } = await createAgent([reply]);
    expect(getEnd(await answerTo('Note it'))).toMatchObject(COMPLETED);
    expect(JSON.stringify(provider.requests.at(-1)?.messages)).not.toMatch(/reasoning|Hm\./);
  });

  it('sends reasoning_details back whole, in the form of the provider behind a gateway', async () => {
    const details = (...reasoning_details: object[]) => delta({ reasoning_details });
    const text = { type: 'reasoning.text', index: 0, format: 'anthropic-claude-v1' };
    const hidden = { type: 'reasoning.encrypted', index: 1, data: 'abc', id: 'call-1' };
    const reply = {
      chunks: [
        details({ ...text, text: 'Hm, ' }),
        details({ ...text, text: 'a note.' }, { type: 'reasoning.text', index: 0, signature: 'sig' }),
        details(hidden),
        ...calls('c1').chunks,
      ],
    };
    const { answerTo, provider } = await createAgent([reply]);
    expect(getEnd(await answerTo('Note it'))).toMatchObject(COMPLETED);
    expect(answersIn(provider.requests.at(-1)!)[0]?.reasoning_details).toEqual([
      { ...text, text: 'Hm, a note.', signature: 'sig' },
      hidden,
    ]);
  });
});

describe('the extra content of tool calls', () => {
  const signed = (signature: string) => ({ google: { thought_signature: signature } });
  const piece = (fields: object) => delta({ tool_calls: [{ type: 'function', ...fields }] });
  const called = { name: 'note', arguments: '{"note":"x"}' };
  /** Gemini's rule for the first call of each answer. */
  const refuse = (request: WireRequest) =>
    answersIn(request).some(({ tool_calls: made = [] }) => made.length > 0 && !made[0]?.extra_content)
      ? 'Function call is missing a thought_signature'
      : undefined;

  it.each<[string, ScriptedReply]>([
    [
      'each with its id',
      {
        chunks: [
          piece({ index: 0, id: 'c1', function: called, extra_content: signed('one') }),
          piece({ index: 1, id: 'c2', function: called, extra_content: signed('two') }),
          delta({}, 'tool_calls'),
        ],
      },
    ],
    [
      'without ids',
      {
        chunks: [
          piece({ index: 0, id: '', function: called, extra_content: signed('one') }),
          piece({ index: 1, id: null, function: called, extra_content: signed('two') }),
          delta({}, 'tool_calls'),
        ],
      },
    ],
    [
      'all with the same index',
      {
        chunks: [
          piece({ index: 0, id: 'c1', function: called, extra_content: signed('one') }),
          piece({ index: 0, id: 'c2', function: called, extra_content: signed('two') }),
          delta({}, 'stop'),
        ],
      },
    ],
    [
      'with the same id, and without an index',
      {
        chunks: [
          delta({
            tool_calls: [
              { id: 'c1', type: 'function', function: called, extra_content: signed('one') },
              { id: 'c1', type: 'function', function: called, extra_content: signed('two') },
            ],
          }),
          delta({}, 'stop'),
        ],
      },
    ],
  ])('sends each call back with its signature when calls come %s, over two turns', async (_name, reply) => {
    const { answerTo, provider } = await createAgent([reply, says('Noted.'), reply], { refuse });
    const first = await answerTo('Note it twice');
    expect(toolEnds(first.log).map((end) => end.split(' ')[1])).toEqual(['ok', 'ok']);
    const second = await answerTo('Again', first.threadId);
    expect(getEnd(second)).toMatchObject(COMPLETED);
    expect(provider.refusals).toEqual([]);
    const made = answersIn(provider.requests.at(-1)!).flatMap(({ tool_calls = [] }) => tool_calls);
    expect(made.map(({ extra_content }) => extra_content)).toEqual([
      signed('one'),
      signed('two'),
      signed('one'),
      signed('two'),
    ]);
    expect(new Set(made.map(({ id }) => id)).size).toBe(4);
  });

  it('makes a call once when its stream repeats id and name in every piece', async () => {
    const part = (args: string) => callDelta({ id: 'c1', name: 'note', args });
    const reply = { chunks: [part('{"no'), part('te":"x'), part('"}'), delta({}, 'tool_calls')] };
    const { answerTo } = await createAgent([reply]);
    const answered = await answerTo('Note it');
    expect(toolEnds(answered.log)).toEqual(['c1 ok']);
  });
});

describe('an image returned by a tool', () => {
  const IMAGE = { data: 'aGk=', mimeType: 'image/png' };
  const picture = {
    ...noteTool('note', async () => new MediaResult('[image: image/png]', [IMAGE])),
    expose: { output: true },
  };
  const isAnthropic = (spec: string) => spec.startsWith('anthropic');
  const play = async (spec: string) => {
    const reply = isAnthropic(spec)
      ? answers(callBlock(0, 'toolu_1', '{"note":"x"}'), 'tool_use')
      : calls('c1');
    const done = isAnthropic(spec) ? answers(textBlock(0, 'A cat.')) : says('A cat.');
    const agent = await createAgent([reply, done, done], { spec, tool: picture });
    const first = await agent.answerTo('Show it');
    expect(first.text).toBe('A cat.');
    expect(getEnd(await agent.answerTo('Sure?', first.threadId))).toMatchObject(COMPLETED);
    expect(agent.provider.refusals).toEqual([]);
    const output = first.log.flatMap(({ event }) => (event.type === 'tool-end' ? [event.output] : []));
    expect(output).toEqual(['[image: image/png]']);
    return JSON.stringify(agent.provider.requests[1]!.messages.slice(-2));
  };

  it('sends an image of a tool inside the tool result to an Anthropic model with vision', async () => {
    const source = { type: 'base64', media_type: 'image/png', data: 'aGk=' };
    expect((await play('anthropic:claude-sonnet-4-5')).split(JSON.stringify(source))).toHaveLength(2);
  });

  it('sends an image of a tool after the tool results to a Chat Completions model with vision', async () => {
    const sent = await play('openai:gpt-4.1-mini');
    expect(sent).toContain('{"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}}');
    expect(sent).toContain('"role":"tool","content":[{"type":"text","text":"[image: image/png]"}]');
  });

  it('replaces an image of a tool by a note for a model that is not known to have vision', async () => {
    const sent = await play('openai:some-local-model');
    expect(sent).not.toContain('aGk=');
    expect(sent).toContain('[image: image/png, which this model cannot see]');
  });
});

describe("Anthropic's thinking blocks", () => {
  const spec = 'anthropic:thinker';

  it('sends thinking blocks back with their signatures', async () => {
    const thinking = answers(
      [...thinkingBlock(0, 'A note.', 'sig'), ...callBlock(1, 'toolu_1', '{"note":"x"}')],
      'tool_use',
    );
    const { answerTo, provider } = await createAgent(
      [thinking, answers(textBlock(0, 'Noted.')), answers(textBlock(0, 'Yes.'))],
      {
        spec,
      },
    );
    const first = await answerTo('Note it');
    expect(first.text).toBe('Noted.');
    expect((await answerTo('Sure?', first.threadId)).text).toBe('Yes.');
    expect(provider.refusals).toEqual([]);
    expect(answersIn(provider.requests.at(-1)!)[0]?.content).toMatchObject([
      { type: 'thinking', thinking: 'A note.', signature: 'sig' },
      { type: 'tool_use', id: 'toolu_1', input: { note: 'x' } },
    ]);
  });

  it('continues after a thinking block that was cut off before its signature', async () => {
    const cut = answers(thinkingBlock(0, 'A very long'), 'max_tokens');
    const { answerTo, provider } = await createAgent([cut, answers(textBlock(0, 'Yes.'))], { spec });
    const first = await answerTo('Think');
    expect(getEnd(first)).toMatchObject({ ...COMPLETED, finishReason: 'length' });
    expect((await answerTo('And?', first.threadId)).text).toBe('Yes.');
    expect(provider.refusals).toEqual([]);
  });
});
