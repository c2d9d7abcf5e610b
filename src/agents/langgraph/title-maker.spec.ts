import { inspect } from 'node:util';
import { AIMessageChunk } from '@langchain/core/messages';
import { expect, it } from '@jest/globals';
import { StreamingModel, usagePiece } from '../../../test/harness/streaming.model.js';
import type { UsageReport } from '../../events/run-event.js';
import { ScriptedModel } from './langgraph.testing.js';
import { makeTitle } from './title-maker.js';

const BEGUN = { question: 'How tall is it?', answer: 'Tall.' };
const SIGNAL = new AbortController().signal;

/** A context that keeps what is reported. */
function reporting() {
  const reports: UsageReport[] = [];
  return { reports, report: (usage: UsageReport) => void reports.push(usage) };
}

/** Counts the question before its first word, as some providers do, and does not come to an end. */
class EarlyCountingModel extends StreamingModel {
  override _llmType(): string {
    return 'early';
  }

  protected override async *speak(): AsyncGenerator<AIMessageChunk> {
    yield usagePiece(2);
    for (;;) yield new AIMessageChunk('word ');
  }
}

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
  const title = await makeTitle(new ScriptedModel(() => ({ chunks })), BEGUN, SIGNAL, reporting());
  expect(title.length).toBeLessThan(300);
  expect(counted.words).toBeLessThan(most);
});

it('reports the tokens of the call, also of one that it does not read to the end', async () => {
  const context = reporting();
  await makeTitle(new ScriptedModel(() => ({ chunks: ['Tall', ' towers'] })), BEGUN, SIGNAL, context);
  const counted = { type: 'usage', inputTokens: 1, outputTokens: 2, totalTokens: 3 };
  expect(context.reports).toEqual([
    { ...counted, model: 'unknown', durationMs: expect.any(Number), firstTokenMs: expect.any(Number) },
  ]);
  await makeTitle(new EarlyCountingModel(), BEGUN, SIGNAL, context);
  expect(context.reports).toMatchObject([{}, counted]);
  expect(context.reports).toHaveLength(2);
});

it('gives a model a part of a long question and answer', async () => {
  const model = new ScriptedModel(() => ({ chunks: ['Long'] }));
  const long = { question: 'q'.repeat(100_000), answer: 'a'.repeat(100_000) };
  expect(await makeTitle(model, long, SIGNAL, reporting())).toBe('Long');
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
  const context = reporting();
  await expect(makeTitle(model, BEGUN, stop.signal, context)).rejects.toThrow();
  expect(context.reports).toMatchObject([{ failed: true, totalTokens: 0 }]);
});

it('fails without the words of a provider, which may quote the conversation', async () => {
  const model = new ScriptedModel(() => ({
    chunks: ['Begun'],
    hold: () => Promise.reject(Object.assign(new Error('Refused: "my secret question"'), { status: 400 })),
  }));
  const context = reporting();
  const failure: unknown = await makeTitle(model, BEGUN, SIGNAL, context).catch((error: unknown) => error);
  expect(context.reports).toMatchObject([{ type: 'usage', failed: true, totalTokens: 0 }]);
  expect(failure).toMatchObject({ code: 'MODEL_REFUSED' });
  expect(inspect(failure, { depth: 10 })).not.toContain('secret');
});
