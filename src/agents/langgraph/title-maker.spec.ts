import { inspect } from 'node:util';
import { expect, it } from '@jest/globals';
import { ScriptedModel } from './langgraph.testing.js';
import { makeTitle } from './title-maker.js';

const BEGUN = { question: 'How tall is it?', answer: 'Tall.' };

/** Words without end, and the number of those that were read. */
function endlessWords(word: string) {
  const counted = { words: 0 };
  const chunks = {
    *[Symbol.iterator]() {
      for (;;) {
        counted.words += 1;
        yield word;
      }
    },
  } as unknown as readonly string[];
  return { counted, chunks };
}

it.each([
  ['a title', 'word ', 100],
  ['thoughts', '<think>word ', 1_000],
])('reads no more than %s of a model that goes on and on', async (_, word, most) => {
  const { counted, chunks } = endlessWords(word);
  const title = await makeTitle(new ScriptedModel(() => ({ chunks })), BEGUN, new AbortController().signal);
  expect(title.length).toBeLessThan(300);
  expect(counted.words).toBeLessThan(most);
});

it('gives a model a part of a long question and answer', async () => {
  const model = new ScriptedModel(() => ({ chunks: ['Long'] }));
  const long = { question: 'q'.repeat(100_000), answer: 'a'.repeat(100_000) };
  expect(await makeTitle(model, long, new AbortController().signal)).toBe('Long');
  expect(model.requests[0]?.map(({ text }) => text.length).every((length) => length < 5_000)).toBe(true);
});

it('stops when it is told to', async () => {
  const stop = new AbortController();
  const model = new ScriptedModel(() => ({
    chunks: ['Begun'],
    hold: (signal) =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(new Error('aborted')));
        stop.abort();
      }),
  }));
  await expect(makeTitle(model, BEGUN, stop.signal)).rejects.toThrow();
});

it('fails without the words of a provider, which may quote the conversation', async () => {
  const model = new ScriptedModel(() => ({
    chunks: ['Begun'],
    hold: () => Promise.reject(Object.assign(new Error('Refused: "my secret question"'), { status: 400 })),
  }));
  const failure: unknown = await makeTitle(model, BEGUN, new AbortController().signal).catch(
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ code: 'MODEL_REFUSED' });
  expect(inspect(failure, { depth: 10 })).not.toContain('secret');
});
