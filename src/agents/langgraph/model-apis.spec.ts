import { afterEach, describe, expect, it } from '@jest/globals';
import { createModel } from './model.factory.js';
import { chat, closeStacks, getEnd, noteTool, stackWith } from './langgraph-stack.testing.js';
import { answers, callBlock, messageEnd, messageStart, textBlock } from './scripted-anthropic.testing.js';
import { closeProviders, inTurn, startProvider, type ScriptedReply } from './scripted-provider.testing.js';

afterEach(async () => {
  await closeStacks();
  await closeProviders();
});

/** @param silenceMs after which an answer is given up. Default: longer than any machine is busy */
async function createAgent(api: Api, replies: readonly ScriptedReply[], silenceMs = 60_000) {
  const provider = await startProvider(inTurn(replies, api.says('Done.')));
  const baseUrl = api.spec.startsWith('anthropic') ? provider.baseUrl.replace('/v1', '') : provider.baseUrl;
  const model = await createModel(api.spec, { baseUrl, timeoutMs: 10_000, maxRetries: 0, silenceMs });
  const notes: string[] = [];
  const note = noteTool('note', async (input) => {
    notes.push(input.note);
    return 'noted';
  });
  return { ...(await stackWith(chat(model), { tools: [note] })), provider, notes };
}

interface Api {
  readonly spec: string;
  says(text: string): ScriptedReply;
  /** An answer that breaks off after these words. */
  begun(text: string): readonly object[];
  error(type: string): object;
  cut(reason: 'length' | 'refusal'): ScriptedReply;
  /** A call that was cut off in its arguments, because no more may be written. */
  readonly cutCall: ScriptedReply;
}

const response = (fields: object) => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  model: 'scripted',
  output: [],
  error: null,
  incomplete_details: null,
  usage: { input_tokens: 5, output_tokens: 7, total_tokens: 12 },
  ...fields,
});
const created = { type: 'response.created', response: response({ status: 'in_progress', usage: null }) };
const message = (content: readonly object[]) => ({
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  status: 'completed',
  content,
});
const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
const words = (text: string) => ({ type: 'response.output_text.delta', ...place, delta: text, logprobs: [] });
const ended = (type: 'completed' | 'incomplete', output: readonly object[], more: object = {}) => ({
  type: `response.${type}`,
  response: response({ status: type, output, ...more }),
});
const halfCall = {
  type: 'function_call',
  id: 'fc_1',
  call_id: 'call_1',
  name: 'note',
  arguments: '{"note":"ha',
  status: 'incomplete',
};
const TOO_LONG = { incomplete_details: { reason: 'max_output_tokens' } };

const RESPONSES: Api = {
  // One of those that LangChain asks by Responses alone.
  spec: 'openai:gpt-5.2-pro',
  says: (text) => ({
    chunks: [
      created,
      words(text),
      ended('completed', [message([{ type: 'output_text', text, annotations: [] }])]),
    ],
  }),
  begun: (text) => [created, words(text)],
  error: (code) => ({ type: 'error', code, message: 'secret words', param: null, sequence_number: 3 }),
  cut: (reason) =>
    reason === 'refusal'
      ? {
          chunks: [
            created,
            { type: 'response.refusal.delta', ...place, delta: 'I will not.' },
            ended('completed', [message([{ type: 'refusal', refusal: 'I will not.' }])]),
          ],
        }
      : {
          chunks: [
            created,
            words('The three '),
            ended(
              'incomplete',
              [message([{ type: 'output_text', text: 'The three ', annotations: [] }])],
              TOO_LONG,
            ),
          ],
        },
  cutCall: {
    chunks: [
      created,
      { type: 'response.output_item.added', output_index: 0, item: { ...halfCall, arguments: '' } },
      {
        type: 'response.function_call_arguments.delta',
        item_id: 'fc_1',
        output_index: 0,
        delta: '{"note":"ha',
      },
      { type: 'response.output_item.done', output_index: 0, item: halfCall },
      ended('incomplete', [halfCall], TOO_LONG),
    ],
  },
};

const ANTHROPIC: Api = {
  spec: 'anthropic:scripted',
  says: (text) => answers(textBlock(0, text)),
  begun: (text) => [messageStart(), ...textBlock(0, text, false)],
  error: (type) => ({ type: 'error', error: { type, message: 'secret words' } }),
  cut: (reason) =>
    reason === 'refusal'
      ? answers(textBlock(0, 'I will not.'), 'refusal')
      : answers(textBlock(0, 'The three '), 'max_tokens'),
  cutCall: {
    chunks: [messageStart(), ...callBlock(0, 'toolu_1', '{"note":"ha', false), ...messageEnd('max_tokens')],
  },
};

const CUT = { outcome: 'failed', error: { code: 'MODEL_FAILED', retryable: true } };

describe.each<[string, Api]>([
  ['OpenAI Responses', RESPONSES],
  ['Anthropic Messages', ANTHROPIC],
])('a response of %s', (_name, api) => {
  it.each<[string, 'close' | 'reset' | 'hang']>([
    ['closed without its end', 'close'],
    ['with a broken connection', 'reset'],
    ['that falls silent', 'hang'],
  ])('fails the run and keeps the thread usable after a model response %s', async (_case, end) => {
    const silenceMs = end === 'hang' ? 1_000 : undefined;
    const { answerTo, provider } = await createAgent(api, [{ chunks: api.begun('Half '), end }], silenceMs);
    const first = await answerTo('Hi');
    expect(getEnd(first)).toMatchObject(CUT);
    expect((await answerTo('Again', first.threadId)).text).toBe('Done.');
    expect(provider.refusals).toEqual([]);
  });

  it.each([
    ['overloaded_error', 'MODEL_OVERLOADED'],
    ['rate_limit_exceeded', 'MODEL_OVERLOADED'],
    ['server_error', 'MODEL_FAILED'],
  ])("reports the error %s in a model stream as %s, without the provider's message", async (type, code) => {
    const { answerTo } = await createAgent(api, [{ chunks: [...api.begun('Half '), api.error(type)] }]);
    const answered = await answerTo('Hi');
    expect(getEnd(answered)).toMatchObject({ outcome: 'failed', error: { code, retryable: true } });
    expect(JSON.stringify(answered.log)).not.toContain('secret words');
  });

  it.each<['length' | 'refusal', string]>([
    ['length', 'The three '],
    ['refusal', 'I will not.'],
  ])('keeps the text of a response that ends for %s, and reports that reason', async (reason, text) => {
    const { answerTo, provider } = await createAgent(api, [api.cut(reason)]);
    const first = await answerTo('Hi');
    expect(first.text).toBe(text);
    expect(getEnd(first)).toMatchObject({ outcome: 'completed', finishReason: reason });
    expect(getEnd(await answerTo('And?', first.threadId))).toMatchObject({ outcome: 'completed' });
    expect(provider.refusals).toEqual([]);
  });

  it('does not make a tool call whose arguments were cut off, and tells the model', async () => {
    const { answerTo, notes, provider } = await createAgent(api, [api.cutCall]);
    const answered = await answerTo('Note it');
    expect(notes).toEqual([]);
    expect(getEnd(answered)).toMatchObject({ outcome: 'completed' });
    expect(answered.text).toBe('Done.');
    expect(JSON.stringify(provider.requests.at(-1))).toContain('The call was not made');
    expect(provider.refusals).toEqual([]);
  });
});
