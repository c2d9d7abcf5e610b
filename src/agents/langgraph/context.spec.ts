import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage, HumanMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { createModel } from './model.factory.js';
import { chat, closeStacks, getEnd, noteTool, stackWith } from './langgraph-stack.testing.js';
import {
  calls,
  delta,
  says,
  closeProviders,
  startProvider,
  type ScriptedReply,
  type WireRequest,
} from './scripted-provider.testing.js';
import { estimateTokens, trimHistory } from './trim-history.js';

afterEach(async () => {
  await closeStacks();
  await closeProviders();
});

async function provide(
  script: (request: WireRequest, index: number) => ScriptedReply,
  refuse?: (request: WireRequest) => string | undefined,
) {
  const provider = await startProvider(script, refuse);
  const model = (name: string) =>
    createModel(`openai:${name}`, { baseUrl: provider.baseUrl, timeoutMs: 10_000, maxRetries: 0 });
  return { provider, model };
}

type Model = Awaited<ReturnType<typeof createModel>>;

function createStack(
  model: Model,
  options: { readonly contextMaxTokens?: number; readonly fallbacks?: readonly Model[] } = {},
) {
  const note = noteTool('note', async ({ note: size }) => 'r'.repeat(Number(size)));
  return stackWith(chat(model, options), { tools: [note] });
}

const LONG = 'word '.repeat(2_000);
const questions = ({ messages }: WireRequest) =>
  messages.flatMap(({ role, content }) => (role === 'user' ? [JSON.stringify(content).slice(1, 8)] : []));
const size = ({ messages }: WireRequest) => JSON.stringify(messages).length;

describe("a conversation that outgrows the model's context", () => {
  it('leaves the oldest turns out of what the model gets and keeps them in the thread', async () => {
    const { provider, model } = await provide(() => says('Yes.'));
    const stack = await createStack(await model('some'), { contextMaxTokens: 6_000 });
    const { threadId } = await stack.answerTo(`One ${LONG}`);
    await stack.answerTo(`Two ${LONG}`, threadId);
    const third = await stack.answerTo(`Three ${LONG}`, threadId);
    expect(third.text).toBe('Yes.');
    expect(questions(provider.requests[1]!)).toEqual(['One wor', 'Two wor']);
    expect(questions(provider.requests[2]!)).toEqual(['Two wor', 'Three w']);
    expect(await stack.readMessages(threadId)).toHaveLength(6);
  });

  it.each([
    ['of earlier turns', 3, '10'],
    ['of one result', 1, '100000'],
  ])('shortens a conversation that is refused as too long because %s', async (_name, turns, result) => {
    const { provider, model } = await provide(
      ({ messages }) =>
        messages.at(-1)?.role === 'tool' ? says('Done.') : calls('c1', 'note', `{"note":"${result}"}`),
      (request) =>
        size(request) > 60_000 ? "This model's maximum context length is 15000 tokens" : undefined,
    );
    const stack = await createStack(await model('some'));
    let threadId: string | undefined;
    for (let turn = 1; turn <= turns; turn += 1) {
      const answered = await stack.answerTo(`${turn} ${turns > 1 ? LONG.repeat(2) : ''}`, threadId);
      expect(answered.text).toBe('Done.');
      ({ threadId } = answered);
    }
    expect(getEnd(await stack.answerTo('Plain', threadId))).toMatchObject({ outcome: 'completed' });
    expect(provider.refusals.length).toBeGreaterThan(0);
  });

  it('fails a run with a message about the length when its conversation cannot be shortened', async () => {
    const { provider, model } = await provide(
      () => says('Yes.'),
      () => 'maximum context length exceeded',
    );
    const stack = await createStack(await model('some'));
    expect(getEnd(await stack.answerTo('Hi'))).toMatchObject({
      outcome: 'failed',
      error: { code: 'MODEL_REFUSED', message: expect.stringContaining('too long') },
    });
    expect(provider.requests).toHaveLength(1);
  });
});

describe('trimHistory', () => {
  const turn = (text: string): BaseMessage[] => [new HumanMessage(text), new AIMessage('A.')];

  it('returns the same messages when nothing is too long', () => {
    const messages = turn('Q.');
    expect(trimHistory(messages, 1_000)).toBe(messages);
  });

  it('leaves out whole turns of a history, oldest first, and never the last one', () => {
    const messages = [...turn('a'.repeat(400)), ...turn('b'.repeat(400)), new HumanMessage('c'.repeat(400))];
    expect(trimHistory(messages, 220).map(({ text }) => text[0])).toEqual(['b', 'A', 'c']);
    expect(trimHistory(messages, 10).map(({ text }) => text[0])).toEqual(['c']);
  });

  it('cuts the longest tool result of the last turn first', () => {
    const asks = new AIMessage({ content: '', tool_calls: [{ id: 'c1', name: 'note', args: {} }] });
    const result = (id: string, length: number) =>
      new ToolMessage({ tool_call_id: id, content: 'x'.repeat(length) });
    const messages = [new HumanMessage('Q'), asks, result('c1', 40_000), result('c2', 2_000)];
    const trimmed = trimHistory(messages, 5_000);
    expect(estimateTokens(trimmed)).toBeLessThan(5_100);
    expect(trimmed[3]).toBe(messages[3]);
  });
});

describe('a chain of fallback models', () => {
  const failing: ScriptedReply = { chunks: ['{"error":{"message":"no"}}'], status: 500, end: 'close' };

  it.each<[string, ScriptedReply]>([
    ['before its first word', failing],
    ['in the middle', { chunks: [delta({ content: 'Half ' })], end: 'close' }],
  ])('replies with the next model when one fails %s, and names it in the usage', async (_name, broken) => {
    const { provider, model } = await provide(({ model: asked }) => {
      if (asked !== 'third') return broken;
      return { chunks: says('Here.').chunks.map((chunk) => ({ ...(chunk as object), model: 'third' })) };
    });
    const stack = await createStack(await model('first'), {
      fallbacks: [await model('second'), await model('third')],
    });
    const answered = await stack.answerTo('Hi');
    expect(answered.text).toBe('Here.');
    expect(getEnd(answered)).toMatchObject({ outcome: 'completed' });
    expect(provider.requests.map(({ model: asked }) => asked)).toEqual(['first', 'second', 'third']);
    const calls = answered.log.flatMap(({ event }) => (event.type === 'usage' ? [event] : []));
    expect(calls.map(({ model: used, failed = false }) => [used, failed])).toEqual([
      ['first', true],
      ['second', true],
      ['third', false],
    ]);
  });

  it('fails a run with the error of the last model when every model fails', async () => {
    const { model } = await provide(() => failing);
    const stack = await createStack(await model('first'), { fallbacks: [await model('second')] });
    expect(getEnd(await stack.answerTo('Hi'))).toMatchObject({
      outcome: 'failed',
      error: { code: 'MODEL_FAILED', retryable: true },
    });
  });
});
