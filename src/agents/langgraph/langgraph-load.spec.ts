import { afterEach, describe, expect, it } from '@jest/globals';
import { openStorage, stackWith, chat, scripted, closeStacks } from './langgraph-stack.testing.js';

afterEach(closeStacks);

describe('concurrent LangGraph runs', () => {
  const WORDS = Array.from({ length: 200 }, (_, index) => `w${index} `);

  it.each([50, 200])('loses no token in %i concurrent runs of a model that never waits', async (count) => {
    const stack = await stackWith(chat(scripted(() => ({ chunks: WORDS }))), {
      executor: { maxConcurrentRuns: 200 },
    });
    const answers = await Promise.all(
      Array.from({ length: count }, (_, run) => stack.answerTo(`run ${run}`)),
    );
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set([WORDS.join('')]));
  });

  it('loses no token beside a run with a slow callback', async () => {
    const slow = scripted(() => ({ chunks: WORDS.slice(0, 20) }));
    slow.callbacks = [{ handleLLMNewToken: () => new Promise((resolve) => setTimeout(resolve, 5)) }];
    const storage = await openStorage();
    const neighbour = await stackWith(chat(slow), { storage });
    const beside = neighbour.answerTo('slow');
    const stack = await stackWith(chat(scripted(() => ({ chunks: WORDS }))));
    const answers = await Promise.all(Array.from({ length: 50 }, (_, run) => stack.answerTo(`run ${run}`)));
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set([WORDS.join('')]));
    expect((await beside).text).toBe(WORDS.slice(0, 20).join(''));
  });
});
