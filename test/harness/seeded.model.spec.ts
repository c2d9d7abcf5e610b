import { describe, expect, it } from '@jest/globals';
import { HumanMessage, type AIMessageChunk } from '@langchain/core/messages';
import { SeededModel, type SeededModelOptions } from './seeded.model.js';

const QUESTION = [new HumanMessage({ id: 'q1', content: 'Well?' })];

describe('SeededModel', () => {
  it('emits the same text for the same seed and attempt', async () => {
    const [one, other] = [await said({ seed: 1, attempt: 1 }), await said({ seed: 1, attempt: 1 })];
    expect(one.text).not.toBe('');
    expect(other.text).toBe(one.text);
  });

  it('shares no word between two attempts, two seeds, or two calls of one attempt', async () => {
    const model = new SeededModel({ seed: 1, attempt: 1, paceMs: 0 });
    const answers = [
      await readAnswer(model),
      await readAnswer(model),
      await said({ seed: 1, attempt: 2 }),
      await said({ seed: 2, attempt: 1 }),
    ];
    const words = answers.flatMap(({ text }) => text.trim().split(' '));
    expect(new Set(words).size).toBe(words.length);
  });

  it('calls each of its tools with ids that are unique', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, seed) => said({ seed, attempt: 1, tools: ['look', 'pay'] })),
    );
    const calls = answers.flatMap(({ tool_calls }) => tool_calls ?? []);
    expect(new Set(calls.map(({ name }) => name))).toEqual(new Set(['look', 'pay']));
    expect(new Set(calls.map(({ id }) => id)).size).toBe(calls.length);
    expect(calls[0]?.args).toEqual({ note: calls[0]?.id });
  });

  it('rejects a call whose signal is aborted', async () => {
    const model = new SeededModel({ seed: 1, attempt: 1, paceMs: 60_000 });
    const abort = new AbortController();
    const answer = model.invoke(QUESTION, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(answer).rejects.toThrow();
  });
});

function said(options: SeededModelOptions): Promise<AIMessageChunk> {
  return readAnswer(new SeededModel({ ...options, paceMs: 0 }));
}

async function readAnswer(model: SeededModel): Promise<AIMessageChunk> {
  let answer: AIMessageChunk | undefined;
  for await (const chunk of await model.stream(QUESTION)) answer = answer ? answer.concat(chunk) : chunk;
  if (!answer) throw new Error('The model said nothing.');
  return answer;
}
