import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage, HumanMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { MessagesAnnotation, StateGraph } from '@langchain/langgraph';
import { ADA } from '../../runs/run.testing.js';
import { FILTERED, leaveOutFiltered, LEFT_OUT } from './filtered-turns.js';
import { createModel } from './model.factory.js';
import { chat, closeStacks, getEnd, graphAgent, noteTool, stackWith } from './langgraph-stack.testing.js';
import { answers, textBlock } from './scripted-anthropic.testing.js';
import {
  calls,
  delta,
  says,
  startProvider,
  type ScriptedProvider,
  type ScriptedReply,
  type WireRequest,
} from './scripted-provider.testing.js';

const providers: ScriptedProvider[] = [];
afterEach(async () => {
  await closeStacks();
  await Promise.all(providers.splice(0).map((provider) => provider.close()));
});

/** A provider whose filter refuses every request that holds this word, in one way. */
const WORD = 'forbidden';
const isRefused = ({ messages }: WireRequest) => JSON.stringify(messages).includes(WORD);

async function provide(
  spec: string,
  refusal: ScriptedReply,
  script: (request: WireRequest) => ScriptedReply = () =>
    spec.startsWith('anthropic') ? answers(textBlock(0, 'Yes.')) : says('Yes.'),
) {
  const provider = await startProvider((request) => (isRefused(request) ? refusal : script(request)));
  providers.push(provider);
  const baseUrl = spec.startsWith('anthropic') ? provider.baseUrl.replace('/v1', '') : provider.baseUrl;
  return { provider, model: await createModel(spec, { baseUrl, timeoutMs: 10_000, maxRetries: 0 }) };
}

const told = (provider: ScriptedProvider) =>
  provider.requests.at(-1)!.messages.map(({ role, content }) => `${role}:${JSON.stringify(content)}`);
const refused = (error: object, status = 400): ScriptedReply => ({
  chunks: [JSON.stringify({ error })],
  status,
  end: 'close',
});
const AZURE = refused({
  message: 'The response was filtered.',
  code: 'content_filter',
  innererror: { code: 'ResponsibleAIPolicyViolation' },
});
const FAILED = { outcome: 'failed', error: { code: 'MODEL_FILTERED', retryable: false } };
const COMPLETED = { outcome: 'completed' };

const cases: [string, string, ScriptedReply, object][] = [
  ['as Azure does', 'openai:some', AZURE, FAILED],
  [
    'as Alibaba does',
    'openai:some',
    refused({
      message:
        '<400> InternalError.Algo.DataInspectionFailed: Input text data may contain inappropriate content.',
      type: 'data_inspection_failed',
    }),
    FAILED,
  ],
  [
    'as DeepSeek does',
    'openai:some',
    refused({ message: 'Content Exists Risk', type: 'invalid_request_error' }),
    FAILED,
  ],
  [
    'as OpenAI does',
    'openai:some',
    refused({
      message: 'Invalid prompt: your prompt was flagged as potentially violating our usage policy.',
      code: 'invalid_prompt',
    }),
    FAILED,
  ],
  [
    'as OpenRouter does',
    'openai:some',
    refused(
      { code: 403, message: 'Your chosen model requires moderation and your input was flagged for "x".' },
      403,
    ),
    FAILED,
  ],
  [
    'by an error in the stream',
    'openai:some',
    { chunks: [{ error: { code: 'content_filter', message: 'No.' } }] },
    FAILED,
  ],
  [
    'by an error in the stream that has only words',
    'openai:some',
    {
      chunks: [
        delta({ content: 'Half ' }),
        { error: { code: 400, message: 'The input was flagged by moderation' } },
      ],
    },
    FAILED,
  ],
  [
    'by a reason, after some words',
    'openai:some',
    { chunks: [delta({ content: 'Some words' }), delta({}, 'content_filter')] },
    { ...COMPLETED, finishReason: 'content-filter' },
  ],
  [
    'by a reason, without a word',
    'openai:some',
    { chunks: [delta({}, 'content_filter')] },
    { ...COMPLETED, finishReason: 'content-filter' },
  ],
  [
    'by a classifier, as Anthropic does',
    'anthropic:some',
    answers(textBlock(0, 'Hello..'), 'refusal'),
    { ...COMPLETED, finishReason: 'refusal' },
  ],
  [
    'by a classifier, without a word',
    'anthropic:some',
    answers([], 'refusal'),
    { ...COMPLETED, finishReason: 'refusal' },
  ],
  [
    'in words, as Anthropic does',
    'anthropic:some',
    refused({ type: 'invalid_request_error', message: 'Output blocked by content filtering policy' }),
    FAILED,
  ],
];

describe('a message that the filter of a provider refuses', () => {
  it.each(cases)('%s is not sent again, and stays where people see it', async (_name, spec, refusal, end) => {
    const { provider, model } = await provide(spec, refusal);
    const stack = await stackWith(chat(model));
    const { threadId } = await stack.answerTo('Good day');
    const { id } = await stack.ask(`Tell me the ${WORD} thing`, threadId);
    expect(getEnd({ log: await stack.readLog(id) })).toMatchObject(end);
    for (const plain of ['Are you there?', 'And now?']) {
      const before = provider.requests.length;
      expect((await stack.answerTo(plain, threadId)).text).toBe('Yes.');
      expect(provider.requests).toHaveLength(before + 1);
      expect(isRefused(provider.requests.at(-1)!)).toBe(false);
    }
    expect(told(provider).join('\n')).toContain(FILTERED);
    expect(told(provider).join('\n')).toContain('Good day');
    expect(provider.refusals).toEqual([]);
    expect((await stack.runs.get(ADA, id)).message).toContain(WORD);
  });

  it('may be the first of its thread, and the second too', async () => {
    const { provider, model } = await provide('openai:some', AZURE);
    const stack = await stackWith(chat(model));
    const { threadId } = await stack.answerTo(`A ${WORD} one`);
    expect(getEnd(await stack.answerTo(`Another ${WORD} one`, threadId))).toMatchObject(FAILED);
    expect((await stack.answerTo('Hi', threadId)).text).toBe('Yes.');
    expect(told(provider)).toEqual(
      [LEFT_OUT, FILTERED, LEFT_OUT, FILTERED, 'Hi'].map(
        (words, at) => `${at % 2 ? 'assistant' : 'user'}:"${words}"`,
      ),
    );
  });

  it('is left out of the messages of a graph', async () => {
    const { provider, model } = await provide('openai:some', AZURE);
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('answer', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
      .addEdge('__start__', 'answer')
      .compile();
    const stack = await stackWith(graphAgent(graph));
    const { threadId } = await stack.answerTo('Good day');
    expect(getEnd(await stack.answerTo(`A ${WORD} one`, threadId))).toMatchObject(FAILED);
    expect((await stack.answerTo('Hi', threadId)).text).toBe('Yes.');
    expect((await stack.readMessages(threadId)).map(({ text }) => text)).toEqual([
      'Good day',
      'Yes.',
      LEFT_OUT,
      FILTERED,
      'Hi',
      'Yes.',
    ]);
    expect(provider.refusals).toEqual([]);
  });
});

describe('what the filter of a provider refuses', () => {
  it('is the result of a tool, and not the question before it', async () => {
    const { provider, model } = await provide('openai:some', AZURE, ({ messages }) =>
      messages.at(-1)?.content === 'Look' ? calls('c1') : says('Yes.'),
    );
    const stack = await stackWith(chat(model), { tools: [noteTool('note', async () => `a ${WORD} page`)] });
    const first = await stack.answerTo('Look');
    expect(getEnd(first)).toMatchObject(FAILED);
    expect((await stack.answerTo('Go on', first.threadId)).text).toBe('Yes.');
    expect(told(provider)).toEqual([
      'user:"Look"',
      'assistant:""',
      `tool:"${LEFT_OUT}"`,
      `assistant:"${FILTERED}"`,
      'user:"Go on"',
    ]);
  });

  it.each<[string, ScriptedReply]>([
    ['by an error', AZURE],
    ['by a reason', { chunks: [delta({}, 'content_filter')] }],
  ])(
    '%s is an earlier answer: the question is asked without it, and so is the next',
    async (_name, refusal) => {
      const { provider, model } = await provide('openai:some', refusal, ({ messages }) =>
        messages.length === 1 && messages[0]!.content === 'Tell' ? says(`The ${WORD} words`) : says('Yes.'),
      );
      const stack = await stackWith(chat(model));
      const { threadId } = await stack.answerTo('Tell');
      expect((await stack.answerTo('Thanks', threadId)).text).toBe('Yes.');
      const asked = provider.requests.length;
      expect((await stack.answerTo('More', threadId)).text).toBe('Yes.');
      expect(provider.requests).toHaveLength(asked + 1);
      expect(told(provider)).toEqual(['user:"Thanks"', 'assistant:"Yes."', 'user:"More"']);
      expect(await stack.readMessages(threadId)).toHaveLength(6);
    },
  );
});

describe('leaveOutFiltered', () => {
  const filtered = (content: string, toolCalls: AIMessage['tool_calls'] = []) =>
    new AIMessage({ content, tool_calls: toolCalls, response_metadata: { finish_reason: 'content_filter' } });
  const brief = (messages: readonly BaseMessage[]) => messages.map(({ text }) => text);

  it('gives the same array where nothing was filtered, and where it was left out already', () => {
    const messages = [new HumanMessage('Hi'), new AIMessage('Yes.')];
    expect(leaveOutFiltered(messages)).toBe(messages);
    const left = leaveOutFiltered([new HumanMessage('Hi'), filtered('Half')]);
    expect(brief(left)).toEqual([LEFT_OUT, FILTERED]);
    expect(leaveOutFiltered(left)).toBe(left);
  });

  it('keeps a call that was made, and what was asked for it', () => {
    const made = filtered('Half', [{ id: 'c1', name: 'note', args: {} }]);
    const messages = [new HumanMessage('Hi'), made, new ToolMessage({ tool_call_id: 'c1', content: 'ok' })];
    const left = leaveOutFiltered(messages);
    expect(brief(left)).toEqual(['Hi', '', 'ok']);
    expect((left[1] as AIMessage).tool_calls).toEqual(made.tool_calls);
  });
});
