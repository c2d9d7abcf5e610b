import { afterEach, describe, expect, it } from '@jest/globals';
import type { RecordedEvent } from '../../events/recorded-event.js';
import { ADA, type ProcessOptions } from '../../runs/run.testing.js';
import { createModel } from './model.factory.js';
import {
  callDelta,
  calls,
  delta,
  says,
  closeProviders,
  inTurn,
  startProvider,
  type ScriptedProvider,
  type ScriptedReply,
} from './scripted-provider.testing.js';
import { STOPPED } from './thread-messages.js';
import {
  chat,
  closeStacks,
  getEnd,
  noteTool,
  reached,
  stackWith,
  toolEnds,
} from './langgraph-stack.testing.js';

afterEach(async () => {
  await closeStacks();
  await closeProviders();
});

/** A chat agent whose provider answers these, one after the other. */
async function scriptedChat(
  replies: readonly ScriptedReply[],
  { limits, ...options }: { silenceMs?: number; limits?: ProcessOptions['limits'] } = {},
) {
  const provider = await startProvider(inTurn(replies));
  const model = await createModel('openai:scripted', {
    baseUrl: provider.baseUrl,
    timeoutMs: 10_000,
    maxRetries: 0,
    ...options,
  });
  const notes: string[] = [];
  const note = noteTool('note', async (input) => {
    notes.push(input.note);
    return 'noted';
  });
  const asking = { ...noteTool('ask', async () => 'asked'), approval: true };
  const stack = await stackWith(chat(model), { tools: [note, asking], ...(limits && { limits }) });
  return { ...stack, provider, notes };
}

const words = (text: string) => delta({ content: text });
const told = (provider: ScriptedProvider) =>
  provider.requests.at(-1)!.messages.map(({ role, content }) => `${role}:${content as string}`);
const shown = (log: readonly RecordedEvent[], type: string) =>
  log.flatMap(({ event }) => (event.type === type && 'delta' in event ? [event.delta] : [])).join('');
const CUT = { outcome: 'failed', error: { code: 'MODEL_FAILED', retryable: true } };

describe('the end of a model stream', () => {
  it.each<[string, ScriptedReply]>([
    ['without a reason', { chunks: [words('Hello there, ')], end: 'close' }],
    ['with a broken connection', { chunks: [words('Hello there, ')], end: 'reset' }],
    ['without any text', { chunks: [], end: 'close' }],
    [
      'in the middle of a call',
      { chunks: [callDelta({ id: 'c1', name: 'note', args: '{"note":"ha' })], end: 'close' },
    ],
    ['with the reason error', { chunks: [words('The three '), delta({}, 'error')] }],
    [
      'with an error of the gateway',
      { chunks: [words('The '), { error: { code: 502, message: 'secret words' } }] },
    ],
    ['with an error without a code', { chunks: [words('The '), { error: { message: 'secret words' } }] }],
    ['with an error that is only text', { chunks: [words('The '), { error: 'secret words' }] }],
    [
      'with an error beside a choice',
      { chunks: [{ id: 'x', choices: [{ index: 0, delta: { content: 'a' } }], error: { code: '502' } }] },
    ],
  ])('fails the run as retryable when a model response ends %s', async (_name, reply) => {
    const { answerTo, notes } = await scriptedChat([reply]);
    const answered = await answerTo('Hi');
    expect(getEnd(answered)).toMatchObject(CUT);
    expect(JSON.stringify(answered.log)).not.toContain('secret words');
    expect(notes).toEqual([]);
  });

  it('records how long each model call took, its step, and that one has failed', async () => {
    const { answerTo } = await scriptedChat([calls('c1'), { chunks: [words('The ')], end: 'reset' }]);
    const { log } = await answerTo('Hi');
    const events = log.map(({ event }) => event);
    const steps = events.flatMap((event) => (event.type === 'step-start' ? [event] : []));
    const [answered, failed] = events.filter(({ type }) => type === 'usage');
    expect(answered).toMatchObject({ stepId: steps[0]!.stepId, model: 'scripted' });
    expect(answered).not.toHaveProperty('failed');
    expect(failed).toMatchObject({ stepId: steps.at(-1)!.stepId, totalTokens: 0, failed: true });
    for (const usage of [answered, failed]) {
      const { durationMs, firstTokenMs } = usage as { durationMs: number; firstTokenMs: number };
      expect(firstTokenMs).toBeGreaterThanOrEqual(0);
      expect(durationMs).toBeGreaterThanOrEqual(firstTokenMs);
    }
  });

  it('does not count a failed model call toward the limit', async () => {
    const { answerTo } = await scriptedChat([{ chunks: [words('The ')], end: 'reset' }], {
      limits: { maxModelCalls: 0 },
    });
    expect(getEnd(await answerTo('Hi'))).toMatchObject(CUT);
  });

  it.each([429, 503, 'rate_limit_exceeded'])(
    'reports the error %s in a model stream as an overload',
    async (code) => {
      const { answerTo } = await scriptedChat([{ chunks: [{ error: { code, message: 'Slow down' } }] }]);
      expect(getEnd(await answerTo('Hi'))).toMatchObject({
        outcome: 'failed',
        error: { code: 'MODEL_OVERLOADED', retryable: true },
      });
    },
  );

  it.each<[string, ScriptedReply]>([
    ['[DONE] and no reason', { chunks: [words('Hello.')] }],
    ['a reason and no [DONE]', { chunks: [words('Hello.'), delta({}, 'stop')], end: 'close' }],
    [
      'a reason without a delta',
      { chunks: [words('Hello.'), { id: 'x', choices: [{ finish_reason: 'stop' }] }], end: 'close' },
    ],
    ['its reason twice', { chunks: [words('Hello.'), delta({}, 'stop'), delta({}, 'stop')] }],
    ['no role in any chunk', { chunks: [{ id: 'x', choices: [{ delta: { content: 'Hello.' } }] }] }],
    [
      'its last bytes split across chunks',
      { chunks: [words('Hello.'), 'data: [DO', 'NE]\n\n'], end: 'close' },
    ],
  ])('completes the run when a model response has %s', async (_name, reply) => {
    const { answerTo } = await scriptedChat([reply]);
    const answered = await answerTo('Hi');
    expect(answered.text).toBe('Hello.');
    expect(getEnd(answered)).toMatchObject({ outcome: 'completed' });
  });

  it.each<[string, ScriptedReply, number | undefined]>([
    ['nothing after its headers', { chunks: [], end: 'hang' }, undefined],
    [
      'comments and nothing else',
      { chunks: [': PROCESSING\n\n', ': PROCESSING\n\n'], end: 'hang' },
      undefined,
    ],
    ['nothing after some text', { chunks: [words('Hello ')], end: 'hang' }, undefined],
  ])('gives up a model response that hangs with %s', async (_name, reply) => {
    const { answerTo } = await scriptedChat([reply], { silenceMs: 150 });
    expect(getEnd(await answerTo('Hi'))).toMatchObject(CUT);
  });

  it('completes the run when the response has a finish reason but its connection stays open', async () => {
    const reply: ScriptedReply = { chunks: [words('Hello.'), delta({}, 'stop')], end: 'hang' };
    const { answerTo } = await scriptedChat([reply], { silenceMs: 1_000 });
    expect(getEnd(await answerTo('Hi'))).toMatchObject({ outcome: 'completed' });
  });
});

describe('an answer of Ollama', () => {
  it.each<[string, readonly string[]]>([
    ['nothing after its headers', []],
    ['nothing after some words', ['{"message":{"role":"assistant","content":"Half "},"done":false}\n']],
  ])('with %s is given up', async (_name, chunks) => {
    const provider = await startProvider(() => ({ chunks, end: 'hang' }));
    const model = await createModel('ollama:scripted', {
      baseUrl: provider.baseUrl.replace('/v1', ''),
      timeoutMs: 10_000,
      maxRetries: 0,
      silenceMs: 150,
    });
    const stack = await stackWith(chat(model));
    expect(getEnd(await stack.answerTo('Hi'))).toMatchObject(CUT);
  });
});

describe('the finish reason of a model', () => {
  it.each([
    ['length', 'length', 'The three rules are: 1.'],
    ['content_filter', 'content-filter', 'The first '],
    ['max_tokens', 'length', 'Well'],
    ['stop', 'empty', ''],
    ['stop', undefined, 'All of it.'],
    ['eos', undefined, 'All of it.'],
  ])('maps the finish reason %s to %s in the log', async (said, finishReason, text) => {
    const { answerTo } = await scriptedChat([{ chunks: [delta({ content: text }), delta({}, said)] }]);
    const answered = await answerTo('Hi');
    expect(answered.text).toBe(text);
    expect(getEnd(answered)).toEqual(
      expect.objectContaining({ outcome: 'completed', ...(finishReason && { finishReason }) }),
    );
    if (!finishReason) expect(getEnd(answered)).not.toHaveProperty('finishReason');
    const usage = answered.log.flatMap(({ event }) => (event.type === 'usage' ? [event.finishReason] : []));
    expect(usage).toEqual([finishReason]);
  });

  it('reports a refusal when the response has refusal text', async () => {
    const { answerTo } = await scriptedChat([{ chunks: [delta({ refusal: 'No.' }), delta({}, 'stop')] }]);
    expect(getEnd(await answerTo('Hi'))).toMatchObject({ outcome: 'completed', finishReason: 'refusal' });
  });

  it('takes the finish reason of the last model call only', async () => {
    const cut = { chunks: [callDelta({ id: 'c1', name: 'note', args: '{"no' }), delta({}, 'length')] };
    const { answerTo } = await scriptedChat([cut]);
    expect(getEnd(await answerTo('Hi'))).not.toHaveProperty('finishReason');
  });
});

describe('the model call limit', () => {
  it.each([
    undefined,
    { prompt_tokens: 5, completion_tokens: null, total_tokens: null },
    { prompt_tokens: 5, completion_tokens: 7, total_tokens: null },
  ])('counts every model call against the limit of its run, with usage %j', async (usage) => {
    const tail = usage ? [{ id: 'x', choices: [], usage }] : [];
    const looping = { chunks: [...calls('c1').chunks, ...tail] };
    const { answerTo } = await scriptedChat(
      Array.from({ length: 10 }, () => looping),
      {
        limits: { maxModelCalls: 3 },
      },
    );
    const answered = await answerTo('Hi');
    expect(getEnd(answered)).toMatchObject({ outcome: 'failed', error: { code: 'RUN_LIMIT' } });
    const reports = answered.log.flatMap(({ event }) => (event.type === 'usage' ? [event] : []));
    expect(reports).toHaveLength(4);
    const inputTokens = usage ? 5 : 0;
    const outputTokens = usage?.completion_tokens ?? 0;
    expect(reports[0]).toMatchObject({ inputTokens, outputTokens, totalTokens: inputTokens + outputTokens });
  });
});

describe('the token counts of a model call', () => {
  it('includes cached and reasoning tokens in the usage event, the end event and the stored run', async () => {
    const usage = {
      prompt_tokens: 100,
      completion_tokens: 20,
      total_tokens: 120,
      prompt_tokens_details: { cached_tokens: 64, audio_tokens: null },
      completion_tokens_details: { reasoning_tokens: 12 },
    };
    const { chunks } = says('Hi.');
    const stack = await scriptedChat([{ chunks: [...chunks, { id: 'x', choices: [], usage }] }]);
    const { id } = await stack.ask('Hi');
    const log = await stack.readLog(id);
    const counted = {
      inputTokens: 100,
      outputTokens: 20,
      totalTokens: 120,
      cachedInputTokens: 64,
      reasoningTokens: 12,
    };
    expect(log.find(({ event }) => event.type === 'usage')?.event).toMatchObject(counted);
    expect(log.at(-1)?.event).toMatchObject({ usage: counted });
    expect((await stack.runs.get(ADA, id)).usage).toEqual(counted);
  });
});

describe('tool calls of a model', () => {
  it.each(['{"note":"line1', '{"note":"line1"', ''])(
    'does not make a call that was cut off after %j, and tells the model',
    async (args) => {
      const cut = { chunks: [callDelta({ id: 'c1', name: 'note', args }), delta({}, 'length')] };
      const { answerTo, notes, provider } = await scriptedChat([cut]);
      const answered = await answerTo('Hi');
      expect(notes).toEqual([]);
      expect(toolEnds(answered.log)).toEqual(['c1 invalid-input']);
      expect(told(provider).at(-1)).toContain('they were cut off');
      expect(answered.text).toBe('Done.');
      expect(provider.refusals).toEqual([]);
    },
  );

  it('does not ask for approval of a call that was cut off', async () => {
    const cut = {
      chunks: [callDelta({ id: 'c1', name: 'ask', args: '{"note":"line1' }), delta({}, 'length')],
    };
    const { answerTo } = await scriptedChat([cut]);
    const { log } = await answerTo('Hi');
    expect(log.map(({ event }) => event.type)).not.toContain('input-request');
    expect(getEnd({ log })).toMatchObject({ outcome: 'completed' });
  });

  it('makes calls with whole arguments, even with raw line breaks in them', async () => {
    const { answerTo, notes } = await scriptedChat([calls('c1', 'note', '{"note":"one\ntwo"}'), calls('c2')]);
    await answerTo('Hi');
    expect(notes).toEqual(['one\ntwo', 'x']);
  });

  it.each([null, '', undefined])('makes tool calls whose id is %j', async (id) => {
    const { answerTo, notes, provider } = await scriptedChat([calls(id), calls(id)]);
    const answered = await answerTo('Hi');
    expect(notes).toEqual(['x', 'x']);
    expect(answered.text).toBe('Done.');
    expect(provider.refusals).toEqual([]);
  });

  it('makes calls that reuse an id, in the same turn and in later ones', async () => {
    const { answerTo, notes, provider } = await scriptedChat([
      calls('c1'),
      calls('c1'),
      says('One.'),
      calls('c1'),
    ]);
    const { threadId } = await answerTo('Hi');
    await answerTo('Again', threadId);
    expect(notes).toEqual(['x', 'x', 'x']);
    expect(provider.refusals).toEqual([]);
  });
});

describe('the text of a model', () => {
  it('passes the partial text of a cancelled run to the next turn, with a note that it was stopped', async () => {
    const half: ScriptedReply = { chunks: [words('word0 word1 ')], end: 'hang' };
    const stack = await scriptedChat([half]);
    const { id, threadId } = await stack.ask('count');
    await reached(stack, id, ({ type }) => type === 'text-delta');
    await stack.runs.cancel(ADA, id);
    await stack.readLog(id);
    await stack.answerTo('continue', threadId);
    expect(told(stack.provider)).toEqual([
      'user:count',
      `assistant:word0 word1 \n\n${STOPPED}`,
      'user:continue',
    ]);
  });

  it('passes the partial text of a cut stream to the next turn, and repeats nothing', async () => {
    const chunks = [words('Let me look.'), ...calls('c1').chunks];
    const { answerTo, provider } = await scriptedChat([
      { chunks },
      { chunks: [words('I found ')], end: 'close' },
    ]);
    const { threadId } = await answerTo('look');
    await answerTo('continue', threadId);
    expect(told(provider)).toEqual([
      'user:look',
      'assistant:Let me look.',
      'tool:noted',
      `assistant:I found \n\n${STOPPED}`,
      'user:continue',
    ]);
  });

  it.each(['same', ''])('keeps responses in order when the provider gives each the id %j', async (id) => {
    const answer = (text: string) => ({
      chunks: [delta({ content: text }, null, id), delta({}, 'stop', id)],
    });
    const { answerTo, provider } = await scriptedChat([answer('You said one.'), answer('You said two.')]);
    const { threadId } = await answerTo('one');
    await answerTo('two', threadId);
    await answerTo('three', threadId);
    expect(told(provider)).toEqual([
      'user:one',
      'assistant:You said one.',
      'user:two',
      'assistant:You said two.',
      'user:three',
    ]);
  });

  it('shows the text of a refusal and stores it', async () => {
    const refusal = {
      chunks: [delta({ refusal: 'I will ' }), delta({ refusal: 'not.' }), delta({}, 'stop')],
    };
    const { answerTo, provider } = await scriptedChat([refusal]);
    const answered = await answerTo('Hi');
    expect(answered.text).toBe('I will not.');
    await answerTo('Please', answered.threadId);
    expect(told(provider)).toEqual(['user:Hi', 'assistant:I will not.', 'user:Please']);
  });

  it.each(['reasoning', 'reasoning_content'])('reads the field %s as reasoning', async (field) => {
    const { answerTo } = await scriptedChat([
      { chunks: [delta({ [field]: 'Hm, ' }), delta({ [field]: 'well.' }), words('Yes.'), delta({}, 'stop')] },
    ]);
    const { log, text } = await answerTo('Hi');
    expect(shown(log, 'reasoning-delta')).toBe('Hm, well.');
    expect(text).toBe('Yes.');
  });
});
